import type { GatewayEvent, Severity } from '../protocol/model.ts';
import type { EventQuery } from './storage.ts';
import type { StoreDefinition } from './store-file.ts';

const RANKS: Readonly<Record<Severity, number>> = { debug: 0, info: 1, warning: 2, critical: 3 };

/** An unknown severity asks for all. */
function rank(severity: string | undefined): number {
  return severity !== undefined && severity in RANKS ? RANKS[severity as Severity] : 0;
}

/** As `eventsAppend` sends it: details are JSON text. */
export type EventRow = Omit<GatewayEvent, 'id' | 'details'> & { readonly details: string };

/** The gateway's own events, oldest deleted beyond a count and an age. */
export const eventStore: StoreDefinition = {
  name: 'events',
  synchronous: 'FULL',
  migrations: [
    {
      version: 1,
      sql: `CREATE TABLE events (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        time INTEGER NOT NULL, rank INTEGER NOT NULL, severity TEXT NOT NULL, source TEXT NOT NULL,
        type TEXT NOT NULL, version INTEGER NOT NULL, project TEXT NOT NULL, subject TEXT NOT NULL,
        message TEXT NOT NULL, code TEXT NOT NULL, remedy TEXT NOT NULL, details TEXT NOT NULL
      ) STRICT;
      CREATE INDEX events_time ON events (time);
      CREATE INDEX events_rank ON events (rank, id);
      CREATE INDEX events_source ON events (source, id);`,
    },
  ],
  operations: ['eventsAppend', 'eventsList'],
  open(db, { limits, now }) {
    const columns = 'time, severity, source, type, version, project, subject, message, code, remedy, details';
    const append = db.prepare(`INSERT INTO events (rank, ${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
    const all = `SELECT id, ${columns} FROM events WHERE id < ?`;
    const list = db.prepare<unknown[], EventRow & { id: number }>(`${all} ORDER BY id DESC LIMIT ?`);
    const graver = db.prepare<unknown[], EventRow & { id: number }>(`${all} AND rank >= ? ORDER BY id DESC LIMIT ?`);
    const of = db.prepare<unknown[], EventRow & { id: number }>(
      `${all} AND source = ? AND rank >= ? ORDER BY id DESC LIMIT ?`,
    );
    const beyond = db.prepare('DELETE FROM events WHERE id <= ?');
    const older = db.prepare('DELETE FROM events WHERE time < ?');
    return {
      operations: {
        eventsAppend: {
          write: true,
          run: ([rows]) => {
            const ids: number[] = [];
            for (const row of rows as readonly EventRow[]) {
              const added = append.run(
                rank(row.severity),
                Math.round(row.time),
                row.severity,
                row.source,
                row.type,
                row.version,
                row.project,
                row.subject,
                row.message,
                row.code,
                row.remedy,
                row.details,
              );
              ids.push(Number(added.lastInsertRowid));
            }
            // Ids rise without gaps but for rolled back writes, so this keeps about `count`.
            const newest = ids.at(-1);
            if (newest !== undefined && newest > limits.events.count) beyond.run(newest - limits.events.count);
            return ids;
          },
        },
        eventsList: {
          write: false,
          run: ([query]) => {
            const { limit, before, severity, source } = query as EventQuery;
            const below = before ?? Number.MAX_SAFE_INTEGER;
            if (source !== undefined) return of.all(below, source, rank(severity), limit);
            return rank(severity) === 0 ? list.all(below, limit) : graver.all(below, rank(severity), limit);
          },
        },
      },
      maintain: () => void older.run(now() - limits.events.ageMs),
    };
  },
};
