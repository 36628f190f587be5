/**
 * The message: one unit of data on its way through the gateway.
 *
 * Messages are immutable for plugins. A source makes them with `context.message(…)`,
 * a handler derives new ones from the one it was given with {@link derive}, so that
 * identity and lineage are kept without the plugin's doing.
 */

/** What a message's `data` is. `raw` is bytes, text or JSON as it came from upstream. */
export type MessageKind = 'raw' | 'metric' | 'event' | 'log';

export type Severity = 'debug' | 'info' | 'warning' | 'critical';

/** `data` of a message of kind `metric`. */
export interface Metric {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'untyped';
  /** NaN is a value: "known to be unknown", as collectd means it. */
  readonly value: number;
  /** Milliseconds since the epoch; 0 when upstream gave none. */
  readonly time: number;
  /** Seconds between two values, fractions kept; 0 when unknown: such a series never expires. */
  readonly interval: number;
  readonly labels: Readonly<Record<string, string>>;
}

/** `data` of a message of kind `event`. */
export interface EventData {
  readonly name: string;
  readonly labels: Readonly<Record<string, unknown>>;
  readonly annotations: Readonly<Record<string, unknown>>;
}

/** `data` of a message of kind `log`. */
export interface LogData {
  readonly message: string;
  readonly labels: Readonly<Record<string, unknown>>;
}

export interface Message {
  /** Upstream's own id, else its position, else minted once and kept through retries and replays. */
  readonly id: string;
  /** CloudEvents `source`: upstream's own, else `/instance/<name>`. */
  readonly source: string;
  /** CloudEvents `type`. */
  readonly type: string;
  readonly subject: string | undefined;
  /** Milliseconds since the epoch: upstream's own time, else when it came in. */
  readonly time: number;
  readonly kind: MessageKind;
  /** Format and major version, as in `collectd/1`; empty when there is none. */
  readonly format: string;
  readonly severity: Severity | undefined;
  /** Name of the source instance that brought it in. */
  readonly instance: string;
  readonly project: string;
  /** Messages of one source with the same key keep their order; empty: no order beyond first delivery. */
  readonly partitionkey: string;
  /** What the transport knows: `address` for amqp1, headers for HTTP. */
  readonly attributes: Readonly<Record<string, unknown>>;
  /** `raw`: Uint8Array, string or JSON value. Other kinds: {@link Metric}, {@link EventData}, {@link LogData}. */
  readonly data: unknown;
}

/** What a source says of a new message; the host fills in the rest. */
export interface MessageInit {
  readonly data: unknown;
  /** Default `raw`. */
  readonly kind?: MessageKind | undefined;
  readonly format?: string | undefined;
  readonly id?: string | undefined;
  readonly source?: string | undefined;
  readonly type?: string | undefined;
  readonly subject?: string | undefined;
  readonly time?: number | undefined;
  readonly severity?: Severity | undefined;
  readonly partitionkey?: string | undefined;
  readonly attributes?: Readonly<Record<string, unknown>> | undefined;
}

/** What a handler may change of the message it derives from. Identity and origin are inherited. */
export type MessageChange = Partial<Omit<MessageInit, 'id' | 'source'>>;

const NO_ATTRIBUTES: Readonly<Record<string, unknown>> = Object.freeze({});

let mintPrefix = '';
let mintCount = 0;

/** Unique per thread and process start: 80 random bits, then a count. */
function mint(): string {
  if (mintPrefix === '') {
    for (let i = 0; i < 4; i++)
      mintPrefix += Math.floor(Math.random() * 0x100000)
        .toString(16)
        .padStart(5, '0');
    mintPrefix += '-';
  }
  return mintPrefix + (mintCount++).toString(36);
}

/**
 * The one implementation of {@link Message}. Ids are made when first read, since most
 * messages of a metrics flow are never asked for theirs; once made they stay.
 */
class HostMessage implements Message {
  readonly type: string;
  readonly subject: string | undefined;
  readonly time: number;
  readonly kind: MessageKind;
  readonly format: string;
  readonly severity: Severity | undefined;
  readonly instance: string;
  readonly project: string;
  readonly partitionkey: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly data: unknown;
  private ownId: string;
  private readonly ownSource: string;
  private readonly parent: HostMessage | undefined;
  /** Which of its parent's parts this is; -1 when it replaces the parent. */
  private readonly part: number;

  constructor(
    id: string,
    source: string,
    type: string,
    subject: string | undefined,
    time: number,
    kind: MessageKind,
    format: string,
    severity: Severity | undefined,
    instance: string,
    project: string,
    partitionkey: string,
    attributes: Readonly<Record<string, unknown>>,
    data: unknown,
    parent: HostMessage | undefined,
    part: number,
  ) {
    this.ownId = id;
    this.ownSource = source;
    this.type = type;
    this.subject = subject;
    this.time = time;
    this.kind = kind;
    this.format = format;
    this.severity = severity;
    this.instance = instance;
    this.project = project;
    this.partitionkey = partitionkey;
    this.attributes = attributes;
    this.data = data;
    this.parent = parent;
    this.part = part;
  }

  get id(): string {
    if (this.ownId === '') {
      if (this.parent === undefined) this.ownId = mint();
      else this.ownId = this.part < 0 ? this.parent.id : `${this.parent.id}#${this.part}`;
    }
    return this.ownId;
  }

  get source(): string {
    return this.ownSource === '' ? `/instance/${this.instance}` : this.ownSource;
  }

  static derive(parent: HostMessage, change: MessageChange, part: number): HostMessage {
    return new HostMessage(
      '',
      parent.ownSource,
      change.type ?? parent.type,
      change.subject ?? parent.subject,
      change.time ?? parent.time,
      change.kind ?? parent.kind,
      change.format ?? parent.format,
      change.severity ?? parent.severity,
      parent.instance,
      parent.project,
      change.partitionkey ?? parent.partitionkey,
      change.attributes ?? parent.attributes,
      'data' in change ? change.data : parent.data,
      parent,
      part,
    );
  }
}

const DEFAULT_TYPE = 'patchbay.message';

/** Makes the first message of a lineage. Plugins call it as `context.message(init)`. */
export function createMessage(instance: string, project: string, init: MessageInit): Message {
  return new HostMessage(
    init.id ?? '',
    init.source ?? '',
    init.type ?? DEFAULT_TYPE,
    init.subject,
    init.time ?? Date.now(),
    init.kind ?? 'raw',
    init.format ?? '',
    init.severity,
    instance,
    project,
    init.partitionkey ?? '',
    init.attributes ?? NO_ATTRIBUTES,
    init.data,
    undefined,
    -1,
  );
}

/**
 * A new message in place of `parent`, changed as said, with the parent's identity.
 * When one message becomes several, pass each its place among them as `part`
 * (0, 1, …): their ids are then `<parent>#0`, `<parent>#1`, the same at every retry.
 */
export function derive(parent: Message, change: MessageChange, part = -1): Message {
  return HostMessage.derive(parent as HostMessage, change, part);
}
