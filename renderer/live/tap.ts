/**
 * One live view: its subscription, what is shown, and what is held back while the view stands
 * still. Paging and gaps go to the engine's ring. Outside React; {@link LiveTap.subscribe} tells
 * at most once per frame.
 */
import type { Client } from '../../gateway-core/protocol/client.ts';
import type { LiveItem } from '../../gateway-core/protocol/contract.ts';
import type { WireError } from '../../gateway-core/protocol/frames.ts';
import type { LiveBudget, LiveCounts } from '../../gateway-core/protocol/model.ts';
import type { Subscription } from '../../gateway-core/protocol/subscription.ts';
import { asWireError } from '../app/wire-errors.ts';
import { Pump, windowClock, type PumpClock } from './pump.ts';
import { LiveRing, type GapEntry } from './ring.ts';

export interface TapParams {
  readonly instance: string;
  readonly where: string;
  readonly text: string;
  readonly budget: Partial<LiveBudget>;
}

export interface TapOptions {
  /** Entries kept in the panel; the engine's ring has its own bound. Default 5000. */
  readonly capacity?: number;
  readonly clock?: PumpClock;
}

/** Batches under way at once: about half a second of them. */
const CREDIT = 6;
const PAGE = 200;

/** What the view shows besides its entries; a new object whenever anything changed. */
export interface TapView {
  readonly version: number;
  readonly counts: LiveCounts | undefined;
  /** As granted by the engine. */
  readonly budget: LiveBudget | undefined;
  readonly open: boolean;
  readonly attached: boolean;
  readonly reason: string;
  readonly error: WireError | undefined;
  readonly held: boolean;
  /** Rows that came since the view stands still. */
  readonly news: number;
  /** Nothing older than the first entry is in the engine's ring. */
  readonly atBeginning: boolean;
  /** Rows older than the first entry that are gone from the ring; 0 when `atBeginning` is not yet known. */
  readonly lostBefore: number;
  readonly paging: boolean;
  /** Grows by as many entries as were put in at the front, for the scroll position. */
  readonly shifted: number;
}

export class LiveTap {
  readonly ring: LiveRing;
  readonly #pending: LiveRing;
  readonly #client: Client;
  readonly #pump: Pump;
  readonly #subscription: Subscription;
  readonly #listeners = new Set<() => void>();
  #tap = '';
  #newest = 0;
  #view: TapView = {
    version: 0,
    counts: undefined,
    budget: undefined,
    open: false,
    attached: true,
    reason: '',
    error: undefined,
    held: false,
    news: 0,
    atBeginning: false,
    lostBefore: 0,
    paging: false,
    shifted: 0,
  };
  #draft: Partial<TapView> | undefined;
  /** Seq up to which the view had come when it was stopped. */
  #heldAt = 0;
  #newsBefore = 0;

  constructor(client: Client, params: TapParams, options: TapOptions = {}) {
    const capacity = options.capacity ?? 5_000;
    this.ring = new LiveRing(capacity);
    this.#pending = new LiveRing(capacity);
    this.#client = client;
    this.#pump = new Pump({ clock: options.clock ?? windowClock, flushed: () => this.#publish() });
    this.#subscription = client.subscribe(
      'live',
      {
        instance: params.instance,
        ...(params.where === '' ? {} : { where: params.where }),
        ...(params.text === '' ? {} : { text: params.text }),
        ...(Object.keys(params.budget).length === 0 ? {} : { budget: params.budget }),
      },
      (item) => this.#pump.push(() => this.#take(item)),
      {
        credit: CREDIT,
        onError: (error) => this.#now({ error: asWireError(error), open: false }),
        onState: (state) => {
          if (state.name === 'waiting') this.#now({ open: false });
        },
      },
    );
  }

  snapshot = (): TapView => this.#view;

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** The tap whose rows come now; rows of a former one have no message in the engine any more. */
  get tapName(): string {
    return this.#tap;
  }

  /** The view stands still from here on; what comes is held back, the engine's ring goes on filling. */
  hold(): void {
    if (this.#view.held) return;
    this.#heldAt = this.#newest;
    this.#newsBefore = 0;
    this.#now({ held: true, news: 0, atBeginning: false, lostBefore: 0 });
  }

  /** Shows what was held back, with a mark where rows are missing, and goes on. */
  release(): void {
    if (!this.#view.held) return;
    const last = this.ring.lastRow();
    const next = this.#pending.at(0);
    this.ring.appendAll(this.#pending);
    this.#pending.clear();
    // Nothing held back although rows were cut off the end by paging: ask for them by a gap.
    if (next === undefined && last !== undefined && last.tap === this.#tap && last.row.seq < this.#newest) {
      this.#now({ held: false, news: 0 });
      void this.#fetchTail(last.row.seq);
      return;
    }
    this.#now({ held: false, news: 0, atBeginning: false, lostBefore: 0 });
  }

  /** Asks the engine's ring for rows before the first one shown. */
  async loadOlder(): Promise<void> {
    const first = this.ring.at(0);
    if (this.#view.paging || this.#view.atBeginning || first?.kind !== 'row' || first.tap !== this.#tap) return;
    if (first.row.seq <= 1) {
      this.#now({ atBeginning: true, lostBefore: 0 });
      return;
    }
    this.#now({ paging: true });
    try {
      const page = await this.#client.call('live.page', { tap: first.tap, before: first.row.seq, limit: PAGE });
      // Paging counts as looking back: the view stands still, or the rows would be pushed out again.
      this.hold();
      const added = this.ring.prepend(page.rows, first.tap);
      const start = this.ring.firstRow()?.row.seq ?? first.row.seq;
      const atBeginning = added === 0 || start <= page.oldest;
      this.#now({
        paging: false,
        atBeginning,
        lostBefore: atBeginning ? start - 1 : 0,
        shifted: this.#view.shifted + added,
      });
    } catch {
      // Gone with its engine, or cancelled: what is shown stays, the next scroll asks again.
      this.#now({ paging: false });
    }
  }

  /** Loads the newer end of a gap. */
  async loadGap(gap: GapEntry): Promise<void> {
    if (this.#view.paging || gap.lost) return;
    this.#now({ paging: true });
    try {
      const page = await this.#client.call('live.page', { tap: gap.tap, before: gap.before, limit: PAGE });
      this.ring.fill(gap, page.rows, page.oldest);
    } catch {
      // The tap is gone, and its ring with it.
      this.ring.fill(gap, [], gap.before);
    }
    this.#now({ paging: false });
  }

  close(): void {
    this.#subscription.close();
    this.#pump.close();
    this.#listeners.clear();
  }

  async #fetchTail(after: number): Promise<void> {
    const before = this.#newest + 1;
    try {
      const page = await this.#client.call('live.page', { tap: this.#tap, before, limit: PAGE });
      this.ring.append(
        page.rows.filter((row) => row.seq > after),
        this.#tap,
      );
      this.#now({});
    } catch {
      // The next batch shows the gap.
    }
  }

  #take(item: LiveItem): void {
    switch (item.kind) {
      case 'open': {
        const again = this.#tap !== '';
        this.#tap = item.tap;
        if (again) {
          if (this.ring.length > 0) (this.#view.held ? this.#pending : this.ring).appendBreak(Date.now());
          this.#newsBefore += Math.max(0, this.#newest - this.#heldAt);
          this.#heldAt = 0;
          this.#newest = 0;
        }
        this.#change({ open: true, budget: item.budget, attached: true, reason: '', error: undefined });
        break;
      }
      case 'rows': {
        const target = this.#draftOr('held') ? this.#pending : this.ring;
        target.append(item.rows, this.#tap);
        const newest = item.rows.at(-1)?.seq ?? 0;
        if (newest > this.#newest) this.#newest = newest;
        this.#change({
          counts: item.counts,
          news: this.#draftOr('held') ? this.#newsBefore + Math.max(0, this.#newest - this.#heldAt) : 0,
        });
        break;
      }
      case 'state':
        this.#change({ attached: item.attached, reason: item.reason });
        break;
      case 'messages':
        // Only for taps opened with `full`.
        break;
    }
  }

  #draftOr<Key extends keyof TapView>(key: Key): TapView[Key] {
    return (this.#draft?.[key] ?? this.#view[key]) as TapView[Key];
  }

  /** For what the pump does: told at the end of the frame. */
  #change(change: Partial<TapView>): void {
    this.#draft = { ...this.#draft, ...change };
  }

  /** For what a person did: told at once. */
  #now(change: Partial<TapView>): void {
    this.#change(change);
    this.#publish();
  }

  #publish(): void {
    this.#view = { ...this.#view, ...this.#draft, version: this.#view.version + 1 };
    this.#draft = undefined;
    for (const listener of [...this.#listeners]) listener();
  }
}
