import type { ConfigVersion } from '../protocol/model.ts';
import type { StoreDefinition } from './store-file.ts';

/** Applied configs, and the settings of the gateway itself. */
export const historyStore: StoreDefinition = {
  name: 'history',
  synchronous: 'FULL',
  migrations: [
    {
      version: 1,
      sql: `CREATE TABLE versions (
        version INTEGER PRIMARY KEY AUTOINCREMENT,
        time INTEGER NOT NULL, origin TEXT NOT NULL, comment TEXT NOT NULL,
        bytes INTEGER NOT NULL, yaml TEXT NOT NULL
      ) STRICT;
      CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;`,
    },
  ],
  operations: ['historyAppend', 'historyList', 'historyGet', 'settingGet', 'settingSet'],
  open(db, { limits }) {
    const append = db.prepare('INSERT INTO versions (time, origin, comment, bytes, yaml) VALUES (?, ?, ?, ?, ?)');
    const list = db.prepare<unknown[], ConfigVersion>(
      'SELECT version, time, origin, comment FROM versions ORDER BY version DESC LIMIT ?',
    );
    const get = db.prepare<unknown[], ConfigVersion & { yaml: string }>(
      'SELECT version, time, origin, comment, yaml FROM versions WHERE version = ?',
    );
    const sizes = db.prepare<unknown[], { version: number; bytes: number }>(
      'SELECT version, bytes FROM versions ORDER BY version DESC',
    );
    const prune = db.prepare('DELETE FROM versions WHERE version <= ?');
    const setting = db.prepare<unknown[], string>('SELECT value FROM settings WHERE key = ?').pluck();
    const set = db.prepare(
      'INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
    );
    /** The running version and the one before it always stay: there must be something to roll back to. */
    const bound = (): void => {
      let count = 0;
      let bytes = 0;
      for (const row of sizes.all()) {
        count++;
        bytes += row.bytes;
        if (count > 2 && (count > limits.history.count || bytes > limits.history.bytes)) {
          prune.run(row.version);
          return;
        }
      }
    };
    return {
      operations: {
        historyAppend: {
          write: true,
          run: ([time, origin, comment, yaml]) => {
            const added = append.run(Math.round(Number(time)), origin, comment, String(yaml).length, yaml);
            bound();
            return Number(added.lastInsertRowid);
          },
        },
        historyList: { write: false, run: ([limit]) => list.all(limit) },
        historyGet: { write: false, run: ([version]) => get.get(version) },
        settingGet: { write: false, run: ([key]) => setting.get(key) },
        settingSet: { write: true, run: ([key, value]) => void set.run(key, value) },
      },
    };
  },
};
