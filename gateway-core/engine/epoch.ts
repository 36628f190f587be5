/**
 * The record of this run in the data folder: when it began, that it still runs, and that it
 * ended as it should. The next run reads from it whether this one was cut off.
 */
import type { EpochStart, LastEpoch } from '../protocol/model.ts';
import type { Storage } from '../storage/storage.ts';

const KEY = 'engine.epoch';
/** How exactly the end of a run that was cut off is known. */
const ALIVE_EVERY_MS = 5000;

interface EpochRecord extends LastEpoch {
  readonly epoch: string;
  readonly ended: boolean;
}

type Settings = Pick<Storage, 'settingGet' | 'settingSet'>;

export class Epoch {
  readonly id: string;
  readonly startedAt: number;
  readonly start: EpochStart;
  readonly last: LastEpoch | null;
  private readonly settings: Settings;
  private readonly version: string;
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> = Promise.resolve();
  private begun = false;

  private constructor(
    settings: Settings,
    of: { readonly id: string; readonly startedAt: number; readonly version: string },
    before: EpochRecord | undefined,
  ) {
    this.settings = settings;
    this.id = of.id;
    this.startedAt = of.startedAt;
    this.version = of.version;
    this.start = before === undefined ? 'first' : before.ended ? 'clean' : 'unclean';
    this.last =
      before === undefined
        ? null
        : { version: before.version, startedAt: before.startedAt, lastAlive: before.lastAlive };
  }

  /** Reads what the run before has left; a record that can't be read counts as none. */
  static async open(
    settings: Settings,
    of: { readonly id: string; readonly startedAt: number; readonly version: string },
  ): Promise<Epoch> {
    const before = await settings.settingGet(KEY).catch(() => undefined);
    return new Epoch(settings, of, isRecord(before) ? before : undefined);
  }

  /**
   * Records that this run has begun, and from then on that it lives. Not before: a start that
   * fails must leave to the next one what the last run left.
   */
  async begin(): Promise<void> {
    this.begun = true;
    this.timer = setInterval(() => this.note(false), ALIVE_EVERY_MS).unref();
    this.note(false);
    await this.writing;
  }

  /** Records that it ended as it should; nothing when it never began. Never rejects. */
  async end(): Promise<void> {
    clearInterval(this.timer);
    if (!this.begun) return;
    this.note(true);
    await this.writing;
  }

  private note(ended: boolean): void {
    const record: EpochRecord = {
      epoch: this.id,
      version: this.version,
      startedAt: this.startedAt,
      lastAlive: Date.now(),
      ended,
    };
    // One after another: the last word must stay the last.
    this.writing = this.writing.then(() => this.settings.settingSet(KEY, record)).catch(() => undefined);
  }
}

function isRecord(value: unknown): value is EpochRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { version, startedAt, lastAlive, ended } = value as Partial<Record<keyof EpochRecord, unknown>>;
  return (
    typeof version === 'string' &&
    typeof startedAt === 'number' &&
    typeof lastAlive === 'number' &&
    typeof ended === 'boolean'
  );
}
