/** What a sender knows of its messages: the one side of the comparison that finds a loss. */

/** `poison`: a handler refuses it each time; `crash`: ends the handler's thread once. */
export type MessageKind = 'good' | 'poison' | 'crash';

/** One numbered message. Ticks count whatever happens to any message of the journal, and so order it. */
export interface JournalEntry {
  readonly id: string;
  readonly key: string;
  readonly n: number;
  readonly kind: MessageKind;
  /** How often it went out. */
  sends: number;
  /** Tick and connection of its first time. */
  firstSent: number;
  connection: number;
  /** Tick at which it was accepted; 0: not yet. */
  accepted: number;
}

/** Every this many messages of a key one is poisoned. */
const POISON_EVERY = 100;

export class Journal {
  private readonly byId = new Map<string, JournalEntry>();
  private readonly lastOf = new Map<string, number>();
  private tick = 0;
  private connections = 0;
  private acceptedCount = 0;
  private made = 0;
  private readonly poison: boolean;

  /** `poison`: whether every hundredth message is one. */
  constructor({ poison = false } = {}) {
    this.poison = poison;
  }

  /** The next message of a key. */
  next(key: string, kind?: MessageKind): JournalEntry {
    const n = (this.lastOf.get(key) ?? 0) + 1;
    this.lastOf.set(key, n);
    const entry: JournalEntry = {
      id: `${key}-${n}`,
      key,
      n,
      kind: kind ?? (this.poison && n % POISON_EVERY === 0 ? 'poison' : 'good'),
      sends: 0,
      firstSent: 0,
      connection: 0,
      accepted: 0,
    };
    this.byId.set(entry.id, entry);
    this.made++;
    return entry;
  }

  /** Numbers of connections are of the journal, so that two senders have none in common. */
  newConnection(): number {
    return ++this.connections;
  }

  sent(entry: JournalEntry, connection: number): void {
    this.tick++;
    if (entry.sends++ > 0) return;
    entry.firstSent = this.tick;
    entry.connection = connection;
  }

  accept(entry: JournalEntry): void {
    this.tick++;
    if (entry.accepted > 0) return;
    entry.accepted = this.tick;
    this.acceptedCount++;
  }

  get accepted(): number {
    return this.acceptedCount;
  }

  /** Made and not yet accepted. */
  get open(): number {
    return this.made - this.acceptedCount;
  }

  /** It counts, but is no longer among the entries. */
  forget({ id }: JournalEntry): void {
    this.byId.delete(id);
  }

  entries(): readonly JournalEntry[] {
    return [...this.byId.values()];
  }

  find(id: string): JournalEntry | undefined {
    return this.byId.get(id);
  }
}
