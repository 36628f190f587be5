import type { StoreDefinition } from './store-file.ts';

/** Plugin state: JSON text by instance and key. */
export const stateStore: StoreDefinition = {
  name: 'state',
  synchronous: 'FULL',
  migrations: [
    {
      version: 1,
      sql: `CREATE TABLE state (
        instance TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
        PRIMARY KEY (instance, key)
      ) STRICT;`,
    },
  ],
  operations: ['stateGet', 'stateSet', 'stateDelete', 'stateKeys', 'stateApply'],
  open(db) {
    const get = db.prepare<unknown[], string>('SELECT value FROM state WHERE instance = ? AND key = ?').pluck();
    const set = db.prepare(
      'INSERT INTO state (instance, key, value) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
    );
    const remove = db.prepare('DELETE FROM state WHERE instance = ? AND key = ?');
    const keys = db.prepare<unknown[], string>('SELECT key FROM state WHERE instance = ? ORDER BY key').pluck();
    return {
      operations: {
        stateGet: { write: false, run: ([instance, key]) => get.get(instance, key) },
        stateSet: { write: true, run: ([instance, key, value]) => void set.run(instance, key, value) },
        stateDelete: { write: true, run: ([instance, key]) => void remove.run(instance, key) },
        stateKeys: { write: false, run: ([instance]) => keys.all(instance) },
        // Requests of one turn share a transaction, so several statements of one request commit together.
        stateApply: {
          write: true,
          run: ([instance, deleted, changed]) => {
            const [gone, entries] = [deleted as readonly string[], changed as readonly (readonly [string, string])[]];
            for (const key of gone) remove.run(instance, key);
            for (const [key, value] of entries) set.run(instance, key, value);
          },
        },
      },
    };
  },
};
