/** Sends numbered messages over AMQP 1.0, unsettled, and comes back until each was accepted. */
import type { Socket } from 'node:net';
import rhea, { type Delivery, type Sender as RheaSender } from 'rhea';
import type { Journal, JournalEntry, MessageKind } from './journal.ts';

export interface AmqpSenderOptions {
  readonly host?: string;
  readonly port: number;
  readonly journal: Journal;
  /** Keys and how many messages of each may be under way; with 1 even repeats keep the order. */
  readonly keys: Readonly<Record<string, number>>;
  /** Messages a second, over all keys. */
  readonly rate: number;
  /** Bytes added to each body. */
  readonly padding?: number;
  /** Accepted messages are no longer known, so that a long run takes no memory here. */
  readonly forget?: boolean;
  /** Without a sign of the peer for so long the connection is given up; default: never. */
  readonly idleMs?: number;
}

interface Lane {
  readonly key: string;
  readonly window: number;
  underWay: number;
  /** Not accepted when last sent; by rising number. */
  again: JournalEntry[];
}

const TICK_MS = 10;
const RECONNECT_MS = 60;

export class AmqpSender {
  private readonly options: AmqpSenderOptions;
  private readonly lanes: Lane[];
  private socket: Socket | undefined;
  private sender: RheaSender | undefined;
  private number = 0;
  private underWay = new Map<Delivery, { readonly entry: JournalEntry; readonly lane: Lane }>();
  private timer: NodeJS.Timeout | undefined;
  private reconnectTimer: NodeJS.Timeout | undefined;
  private allowance = 0;
  private lastTick = 0;
  private turn = 0;
  private producing = false;
  private closed = false;
  /** Answers other than accepted, and connections lost, so far. */
  readonly counts = { released: 0, rejected: 0, disconnected: 0 };

  constructor(options: AmqpSenderOptions) {
    this.options = options;
    this.lanes = Object.entries(options.keys).map(([key, window]) => ({ key, window, underWay: 0, again: [] }));
  }

  start(): void {
    this.producing = true;
    this.connect();
    this.lastTick = performance.now();
    this.timer = setInterval(() => this.tick(), TICK_MS);
  }

  /** Makes no new messages; what is open is repeated until it is accepted. */
  finish(): void {
    this.producing = false;
  }

  resume(): void {
    this.producing = true;
  }

  close(): void {
    this.closed = true;
    clearInterval(this.timer);
    clearTimeout(this.reconnectTimer);
    this.cut();
  }

  /** The connection is gone, without a word to the peer. */
  drop(): void {
    this.cut();
  }

  /** One more message of the first key, out of turn. */
  inject(kind: MessageKind): JournalEntry {
    const lane = this.lanes[0] as Lane;
    const entry = this.options.journal.next(lane.key, kind);
    lane.again.push(entry);
    return entry;
  }

  private cut(): void {
    this.socket?.destroy();
  }

  private connect(): void {
    if (this.closed) return;
    const { host = '127.0.0.1', port, journal, idleMs } = this.options;
    const container = rhea.create_container();
    container.on('error', () => undefined);
    const connection = container.connect({
      host,
      port,
      reconnect: false,
      ...(idleMs === undefined ? {} : { idle_time_out: idleMs }),
      // rhea takes it from here; its typings do not know it.
      ...{ tcp_no_delay: true },
    });
    const { socket } = connection as unknown as { readonly socket: Socket };
    this.socket = socket;
    this.number = journal.newConnection();
    // The socket's own word: rhea's `disconnected` comes twice after some faults, and not at all after others.
    socket.once('close', () => this.disconnected());
    for (const event of ['connection_error', 'error', 'session_error', 'sender_error', 'protocol_error'])
      connection.on(event, () => socket.destroy());
    // The peer ended it in good order, as a source does that is restarted.
    for (const event of ['connection_close', 'session_close', 'sender_close'])
      connection.on(event, () => socket.destroy());
    connection.on('disconnected', () => undefined);
    const sender = connection.open_sender({
      target: { address: 'rounds' },
      snd_settle_mode: 0,
      ...{ treat_modified_as_released: false },
    });
    this.sender = sender;
    sender.on('accepted', ({ delivery }) => this.settled(delivery, 'accepted'));
    for (const outcome of ['released', 'modified'] as const)
      sender.on(outcome, ({ delivery }) => this.settled(delivery, 'released'));
    sender.on('rejected', ({ delivery }) => this.settled(delivery, 'rejected'));
  }

  private disconnected(): void {
    this.counts.disconnected++;
    this.sender = undefined;
    const lost = [...this.underWay.values()];
    this.underWay = new Map();
    for (const { entry, lane } of lost) {
      lane.underWay--;
      lane.again.push(entry);
    }
    for (const { again } of this.lanes) again.sort((a, b) => a.n - b.n);
    if (!this.closed) this.reconnectTimer = setTimeout(() => this.connect(), RECONNECT_MS);
  }

  private settled(delivery: Delivery | undefined, outcome: 'accepted' | 'released' | 'rejected'): void {
    const found = delivery === undefined ? undefined : this.underWay.get(delivery);
    if (delivery === undefined || found === undefined) return;
    this.underWay.delete(delivery);
    const { entry, lane } = found;
    lane.underWay--;
    if (outcome === 'accepted') {
      this.options.journal.accept(entry);
      if (this.options.forget === true) this.options.journal.forget(entry);
      return;
    }
    this.counts[outcome]++;
    lane.again.push(entry);
    lane.again.sort((a, b) => a.n - b.n);
  }

  private tick(): void {
    const now = performance.now();
    const { rate } = this.options;
    this.allowance = Math.min(this.allowance + ((now - this.lastTick) / 1000) * rate, rate / 5 + 1);
    this.lastTick = now;
    let idle = 0;
    while (this.allowance >= 1 && idle < this.lanes.length && this.sender?.sendable() === true) {
      const lane = this.lanes[this.turn++ % this.lanes.length] as Lane;
      idle = this.sendOne(lane, this.sender) ? 0 : idle + 1;
    }
  }

  private sendOne(lane: Lane, sender: RheaSender): boolean {
    if (lane.underWay >= lane.window) return false;
    const { journal, padding = 0 } = this.options;
    const entry = lane.again.shift() ?? (this.producing ? journal.next(lane.key) : undefined);
    if (entry === undefined) return false;
    this.allowance--;
    lane.underWay++;
    journal.sent(entry, this.number);
    const { id, kind, key } = entry;
    const body = JSON.stringify({ id, kind, ...(padding > 0 ? { padding: 'x'.repeat(padding) } : {}) });
    this.underWay.set(sender.send({ body, message_id: id, group_id: key }), { entry, lane });
    return true;
  }
}
