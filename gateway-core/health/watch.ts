/** Looks at the engine's own health once a second: its threads, its memory, its disk, its stores. */
import { readdir, stat, statfs } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { basename, join } from 'node:path';
import type { Totals } from '../engine/fleet.ts';
import { codedEvent, type EventReport } from '../events/report.ts';
import { errorRegistry, fill, type ErrorCode } from '../protocol/errors/index.ts';
import type { EngineHealth, Level, NeedsYou, StatusReport, ThreadHealth } from '../protocol/model.ts';
import { COMMIT_BOUNDS } from '../storage/commit-clock.ts';
import type { Spools } from '../storage/spools.ts';
import type { Storage } from '../storage/storage.ts';
import { ThreadProbe, type ThreadFigures } from './thread-probe.ts';
import { Watermark } from './watermark.ts';

export interface HealthWatchOptions {
  readonly dataFolder: string;
  readonly storage: Pick<Storage, 'figures'>;
  readonly spools: Pick<Spools, 'figures'>;
  onEvent(event: EventReport): void;
}

/** Before the name of a sink, since a thread may bear the same. */
const SPOOL = 'spool ';
const DISK_EVERY_MS = 10_000;
/** A disk with this much free is not short of room, however large it is. */
const ENOUGH_FREE = 10 * 1024 ** 3;
/** A report is due every second; what is younger than this is on time. */
const ON_TIME_MS = 1500;

interface Warning {
  readonly mark: Watermark;
  readonly subject: string;
  code: ErrorCode;
  details: Readonly<Record<string, unknown>>;
  since: number;
}

interface Disk {
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** Bytes by store, logs included. */
  readonly stores: ReadonlyMap<string, number>;
}

export class HealthWatch {
  private readonly options: HealthWatchOptions;
  private readonly probe = new ThreadProbe();
  private readonly warnings = new Map<string, Warning>();
  private disk: Disk = { freeBytes: 0, totalBytes: 0, stores: new Map() };
  private timer: NodeJS.Timeout | undefined;
  private current: EngineHealth;

  constructor(options: HealthWatchOptions) {
    this.options = options;
    this.current = this.gather(undefined);
  }

  /** Of the last look. */
  get last(): EngineHealth {
    return this.current;
  }

  /** Resolves when the disk has been looked at for the first time. */
  async start(): Promise<void> {
    await this.lookAtDisk();
    this.timer = setInterval(() => void this.lookAtDisk(), DISK_EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.timer);
    this.probe.end();
  }

  /** To be called once a second: figures are of the time since the last call. */
  look(totals: Totals): EngineHealth {
    this.current = this.gather(totals);
    return this.current;
  }

  /** Looks at how full the sinks' buffers on disk are. */
  lookAtSpools(sinks: StatusReport['sinks']): void {
    for (const key of this.warnings.keys())
      if (key.startsWith(SPOOL) && sinks[key.slice(SPOOL.length)] === undefined) this.warnings.delete(key);
    for (const [name, { spooledBytes, spoolLimitBytes, fullSince }] of Object.entries(sinks)) {
      if (spoolLimitBytes <= 0) continue;
      // A full one is told of as such.
      const share = fullSince > 0 ? 0 : spooledBytes / spoolLimitBytes;
      this.mark(`${SPOOL}${name}`, share, 'PB_SPOOL_HIGH', { name, percent: percent(share) }, name);
    }
  }

  /** What is above its mark now. */
  needs(): NeedsYou[] {
    return [...this.warnings.values()]
      .filter(({ mark }) => mark.level !== 'ok')
      .map(({ subject, code, details, since }) => ({
        code,
        message: fill(errorRegistry[code].template, details),
        remedy: fill(errorRegistry[code].remedy, details),
        subject,
        since,
      }));
  }

  private gather(totals: Totals | undefined): EngineHealth {
    const threads: Record<string, ThreadHealth> = { control: this.thread('control', this.probe.look(), 0, 0) };
    const stored = this.options.storage.figures();
    const spooled = this.options.spools.figures();
    threads['storage'] = this.storageThread('storage', stored);
    if (spooled !== undefined) threads['spool'] = this.storageThread('spool', spooled);
    for (const [name, { figures, up, silentSeconds, restarts }] of totals?.workers ?? [])
      threads[name] = this.thread(name, up ? figures : undefined, silentSeconds, restarts);

    const rssBytes = process.memoryUsage.rss();
    const memoryLimitBytes = memoryLimit();
    const { user, system } = process.cpuUsage();
    const stores: Record<string, EngineHealth['storage']['stores'][string]> = {};
    for (const [name, commits] of Object.entries(stored?.last.commits ?? {}))
      stores[name] = { commits, bytes: this.disk.stores.get(name) ?? 0 };
    for (const [name, commits] of Object.entries(spooled?.last.commits ?? {}))
      stores[name] = { commits, bytes: totals?.spools.sinks[name.slice('spool/'.length)]?.bytes ?? 0 };
    const { freeBytes, totalBytes } = this.disk;
    const room = Math.min(totalBytes, ENOUGH_FREE);
    return {
      threads,
      process: {
        rssBytes,
        memoryLimitBytes,
        memoryLevel: this.mark('memory', rssBytes / memoryLimitBytes, 'PB_MEMORY_HIGH', {
          what: 'The engine',
          percent: percent(rssBytes / memoryLimitBytes),
          limit: megabytes(memoryLimitBytes),
        }),
        cpuSeconds: (user + system) / 1e6,
      },
      disk: {
        freeBytes,
        totalBytes,
        level:
          totalBytes === 0
            ? 'ok'
            : this.mark('disk', 1 - freeBytes / room, 'PB_DISK_LOW', { free: megabytes(freeBytes) }),
      },
      storage: {
        queued: Math.max(stored?.last.queued ?? 0, spooled?.last.queued ?? 0),
        commitBounds: COMMIT_BOUNDS,
        stores,
      },
    };
  }

  private storageThread(name: string, report: ReturnType<Storage['figures']>): ThreadHealth {
    const age = report === undefined ? 0 : performance.now() - report.at;
    const silent = age < ON_TIME_MS ? 0 : Math.round(age / 1000);
    return this.thread(name, report?.last.thread, silent, report?.restarts ?? 0);
  }

  private thread(
    name: string,
    figures: ThreadFigures | undefined,
    heartbeatAge: number,
    restarts: number,
  ): ThreadHealth {
    const of = figures ?? NO_FIGURES;
    const share = of.heapLimitBytes === 0 ? 0 : of.heapBytes / of.heapLimitBytes;
    const heapLevel = this.mark(name, share, 'PB_MEMORY_HIGH', {
      what: `The JavaScript heap of ${name}`,
      percent: percent(share),
      limit: megabytes(of.heapLimitBytes),
    });
    return { ...of, state: figures === undefined ? 'down' : 'up', heapLevel, heartbeatAge, restarts };
  }

  private mark(
    key: string,
    share: number,
    code: ErrorCode,
    details: Readonly<Record<string, unknown>>,
    subject = key,
  ): Level {
    let warning = this.warnings.get(key);
    if (warning === undefined)
      this.warnings.set(key, (warning = { mark: new Watermark(), subject, code, details, since: 0 }));
    const before = warning.mark.level;
    const level = warning.mark.look(share);
    warning.details = details;
    if (level === before) return level;
    warning.since = Date.now();
    if (level === 'ok') {
      this.options.onEvent({
        severity: 'info',
        source: 'engine',
        type: 'level.ok',
        subject,
        message: `${subject}: back to ${percent(share)} % of its limit`,
        details,
      });
    } else if (before !== 'critical') {
      this.options.onEvent(
        codedEvent(level === 'critical' ? 'critical' : 'warning', 'engine', `level.${level}`, code, details, subject),
      );
    }
    return level;
  }

  private async lookAtDisk(): Promise<void> {
    try {
      const { bavail, blocks, bsize } = await statfs(this.options.dataFolder);
      this.disk = {
        freeBytes: bavail * bsize,
        totalBytes: blocks * bsize,
        stores: await storeSizes(join(this.options.dataFolder, 'store')),
      };
    } catch {
      // A file system that can't tell: what was known stays.
    }
  }
}

const NO_FIGURES: ThreadFigures = {
  delayP50Ms: 0,
  delayP99Ms: 0,
  delayMaxMs: 0,
  utilisation: 0,
  cpuSeconds: 0,
  heapBytes: 0,
  heapLimitBytes: 0,
  externalBytes: 0,
  arrayBufferBytes: 0,
};

/** Each `<name>.sqlite` with its `-wal` and `-shm`. */
async function storeSizes(folder: string): Promise<ReadonlyMap<string, number>> {
  const sizes = new Map<string, number>();
  for (const file of await readdir(folder)) {
    const name = /^(.+)\.sqlite(-wal|-shm)?$/.exec(basename(file))?.[1];
    if (name === undefined) continue;
    const { size } = await stat(join(folder, file)).catch(() => ({ size: 0 }));
    sizes.set(name, (sizes.get(name) ?? 0) + size);
  }
  return sizes;
}

/** Of the process's group (a container, a service), where it has one below the machine's. */
function memoryLimit(): number {
  const constrained = process.constrainedMemory();
  const total = totalmem();
  return constrained > 0 && constrained < total ? constrained : total;
}

function percent(share: number): number {
  return Math.round(share * 100);
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
