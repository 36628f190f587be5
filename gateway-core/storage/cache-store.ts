import type { StoreDefinition } from './store-file.ts';

/** What may be forgotten: JSON text with an expiry. Over its bound, what expires soonest goes first. */
export const cacheStore: StoreDefinition = {
  name: 'cache',
  synchronous: 'OFF',
  migrations: [
    {
      version: 1,
      sql: `CREATE TABLE cache (
        instance TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
        expires INTEGER NOT NULL, bytes INTEGER NOT NULL,
        PRIMARY KEY (instance, key)
      ) STRICT;
      CREATE INDEX cache_expires ON cache (expires, bytes);`,
    },
  ],
  operations: ['cacheGet', 'cacheSet'],
  open(db, { limits, now }) {
    const get = db
      .prepare<unknown[], string>('SELECT value FROM cache WHERE instance = ? AND key = ? AND expires > ?')
      .pluck();
    const sizeOf = db.prepare<unknown[], number>('SELECT bytes FROM cache WHERE instance = ? AND key = ?').pluck();
    const set = db.prepare(
      `INSERT INTO cache (instance, key, value, expires, bytes) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET value = excluded.value, expires = excluded.expires, bytes = excluded.bytes`,
    );
    const expired = db.prepare<unknown[], number>('DELETE FROM cache WHERE expires <= ? RETURNING bytes').pluck();
    const soonest = db
      .prepare<unknown[], number>(
        'DELETE FROM cache WHERE rowid IN (SELECT rowid FROM cache ORDER BY expires LIMIT 16) RETURNING bytes',
      )
      .pluck();
    const sum = db.prepare<unknown[], number>('SELECT coalesce(sum(bytes), 0) FROM cache').pluck();
    let total = sum.get() ?? 0;
    const forget = (gone: readonly number[]): void => {
      for (const bytes of gone) total -= bytes;
    };
    const bound = (): void => {
      if (total <= limits.cache.bytes) return;
      forget(expired.all(now()));
      while (total > limits.cache.bytes) {
        const gone = soonest.all();
        if (gone.length === 0) return;
        forget(gone);
      }
    };
    return {
      operations: {
        cacheGet: { write: false, run: ([instance, key]) => get.get(instance, key, now()) },
        cacheSet: {
          write: true,
          run: ([instance, key, value, ttlMs]) => {
            const text = String(value);
            const bytes = text.length + String(key).length + 64;
            total += bytes - (sizeOf.get(instance, key) ?? 0);
            const expires = Math.min(Number.MAX_SAFE_INTEGER, Math.round(now() + Number(ttlMs)));
            set.run(instance, key, text, expires, bytes);
            bound();
          },
        },
      },
      maintain: () => forget(expired.all(now())),
      rolledBack: () => {
        total = sum.get() ?? 0;
      },
    };
  },
};
