import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openDatabase } from './database.ts';
import type { OrphanSpool } from './spool-wire.ts';

const NAME = /^(.+)\.([0-9a-f]{8})\.sqlite$/;

/** The spools' files: `<sink>.<id>.sqlite`. The id stays with the file, whatever its sink is called later. */
export class SpoolFolder {
  private readonly folder: string;
  private readonly known = new Map<string, string>();

  constructor(folder: string) {
    this.folder = folder;
    for (const file of readdirSync(folder)) {
      const sink = NAME.exec(file)?.[1];
      if (sink !== undefined && !this.known.has(sink)) this.known.set(sink, join(folder, file));
    }
  }

  /** Where the sink's file is, or is to be. Always the same answer for the same sink. */
  pathOf(sink: string): string {
    let path = this.known.get(sink);
    if (path === undefined) {
      path = join(this.folder, `${sink}.${randomBytes(4).toString('hex')}.sqlite`);
      this.known.set(sink, path);
    }
    return path;
  }

  /** The sink's file was deleted. */
  forget(sink: string): void {
    this.known.delete(sink);
  }

  /** Sinks that have a file but are not among `configured`. */
  others(configured: ReadonlySet<string>): string[] {
    return [...this.known].filter(([sink, path]) => !configured.has(sink) && existsSync(path)).map(([sink]) => sink);
  }

  /** What a file holds whose sink is not configured. One that can't be read counts as holding something. */
  orphan(sink: string): OrphanSpool {
    const file = this.pathOf(sink);
    try {
      const db = openDatabase(file, {
        migrations: [],
        synchronous: 'FULL',
        busyMs: 250,
        readOnly: true,
        onEvent: () => undefined,
      });
      try {
        const totals = db.prepare<[], { messages: number; bytes: number }>('SELECT messages, bytes FROM totals').get();
        const oldest = db.prepare<[], number>('SELECT min(time) FROM batches').pluck().get() ?? 0;
        return { sink, file, messages: totals?.messages ?? 0, bytes: totals?.bytes ?? 0, oldest };
      } finally {
        db.close();
      }
    } catch {
      return { sink, file, messages: -1, bytes: statSync(file).size, oldest: 0 };
    }
  }
}
