/**
 * AMQP 1.0 for plugins (`context.amqp`). The host owns the connections: sockets, TLS, SASL,
 * reconnecting, frame and size limits, credit. A plugin gets batches of deliveries, settles them
 * by their outcome, and sends batches. Everything happens in the plugin's own thread.
 */
/** What a receiver tells the sender of a delivery. Terms of AMQP 1.0, section 3.4. */
export type AmqpOutcome = {
    readonly kind: 'accepted';
}
/** Not taken, may be given to anyone again, not counted as a failure. */
 | {
    readonly kind: 'released';
} | {
    readonly kind: 'modified';
    readonly deliveryFailed?: boolean;
    readonly undeliverableHere?: boolean;
}
/** Can never be taken. `condition` is an AMQP symbol, as in `amqp:decode-error`. */
 | {
    readonly kind: 'rejected';
    readonly condition: string;
    readonly description?: string;
};
/** The properties section (AMQP 1.0, section 3.2.4), as far as plugins need it. */
export interface AmqpProperties {
    /** Uuids as `8-4-4-4-12` text, numbers as decimal text, binary as hex. */
    readonly messageId?: string;
    readonly to?: string;
    readonly subject?: string;
    readonly replyTo?: string;
    /** Same form as `messageId`. */
    readonly correlationId?: string;
    readonly contentType?: string;
    readonly contentEncoding?: string;
    /** Milliseconds since the epoch. */
    readonly creationTime?: number;
    readonly groupId?: string;
}
/** One message taken in. Valid until it is settled. */
export interface AmqpDelivery {
    /**
     * The link's address; with an anonymous terminus, the message's `to`; empty when there is neither. Of a listener:
     * without a slash at its beginning, which collectd adds (`properties.to` has it as sent).
     */
    readonly address: string;
    /**
     * amqp-value of binary or string as it is; data sections joined; amqp-value lists and
     * amqp-sequences as an array, each element to be taken as one message. Binary is a view on the
     * block that came from the socket (up to 64 KiB): it is never overwritten, but keeps the whole
     * block alive, so copy what you keep for long. `undefined` when {@link unsupported} says why.
     */
    readonly body: Uint8Array | string | readonly unknown[] | undefined;
    /** What the body is, when it is none of the above; else empty. */
    readonly unsupported: string;
    /** The sender settled it already: an outcome is for our own count only. */
    readonly presettled: boolean;
    /** False when there was nothing but `to`: then {@link properties} is empty and there are no application properties. */
    readonly hasProperties: boolean;
    /** Read on each access: keep it rather than ask twice. */
    readonly properties: AmqpProperties;
    /** Read on each access. Values as AMQP simple types; undefined when the section is absent. */
    readonly applicationProperties: Readonly<Record<string, unknown>> | undefined;
}
/** Client side of TLS. Text is PEM, not a file name. */
export interface AmqpClientTls {
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    /** Name the certificate must be for; default the host. */
    readonly serverName?: string;
    /** Default true. False takes any certificate. */
    readonly rejectUnauthorized?: boolean;
}
/** Server side of TLS. With `ca`, a client's certificate is checked, and is a must if `requireClientCert`. */
export interface AmqpServerTls {
    readonly cert: string;
    readonly key: string;
    readonly ca?: string;
    readonly requireClientCert?: boolean;
}
/** Bounds against a peer that is broken or hostile. Crossing one closes that peer's connection only. */
export interface AmqpLimits {
    /** Bytes; default 1 MiB. */
    readonly maxFrameSize?: number;
    /** Bytes of one message over all its frames; default 16 MiB. */
    readonly maxMessageSize?: number;
    /** Time until the connection is open, TLS and SASL included; default 10 000. */
    readonly handshakeMs?: number;
    /** Listening: default 1 000. */
    readonly maxConnections?: number;
    /** Per connection; default 256. */
    readonly maxLinks?: number;
    /** Bytes taken in and not settled yet, over all peers, beyond which reading pauses; default 64 MiB. */
    readonly maxHeldBytes?: number;
    /** Bytes waiting for a peer that doesn't read; default 8 MiB. */
    readonly maxUnsent?: number;
}
export interface AmqpReceiveOptions {
    /**
     * Of a listener: links whose address is none of these are refused, and so are single messages on an anonymous one;
     * empty or absent: every address; a slash at the beginning counts for nothing. Of a connection: what to attach to.
     */
    readonly addresses?: readonly string[];
    /**
     * Takes a batch, in the order of arrival. While the promise it returned is pending the host keeps
     * what comes in (no more than the credit given) and hands it over afterwards. Must not throw.
     */
    readonly onDeliveries: (deliveries: readonly AmqpDelivery[]) => void | Promise<void>;
    /** How many deliveries of one link may be unsettled; settling gives new credit. Default 4 096. */
    readonly credit?: number;
    /** Largest batch; default 512. */
    readonly maxBatch?: number;
    /** Of a connection: asks for a durable source. A queue that is there already keeps its own durability. */
    readonly durable?: boolean;
}
export interface AmqpListenOptions extends AmqpReceiveOptions {
    readonly host: string;
    /** 0: any free one, see {@link AmqpListener.port}. */
    readonly port: number;
    readonly tls?: AmqpServerTls;
    /** Which SASL mechanisms are offered; at least one. Default: ANONYMOUS alone. */
    readonly sasl?: {
        readonly anonymous?: boolean;
        readonly plain?: readonly {
            readonly username: string;
            readonly password: string;
        }[];
        /** By client certificate: needs `tls.ca`. */
        readonly external?: boolean;
    };
    readonly limits?: AmqpLimits;
}
/** Deliveries of a listener or of a connection's receivers, to be settled by their outcome. */
export interface AmqpIntake {
    /**
     * Settles `deliveries[from]` up to, not including, `deliveries[to]`; the whole array when absent.
     * Neighbours of one link go out as one range. A delivery whose connection is gone or that is
     * settled already is skipped: its sender delivers it again.
     */
    settle(deliveries: readonly AmqpDelivery[], outcome: AmqpOutcome, from?: number, to?: number): void;
    /** Deliveries handed over or waiting to be, not settled yet. */
    readonly unsettled: number;
    /**
     * Takes in nothing more: no new connections or links, no credit, what was given is taken back. Resolves when all
     * that had come in was handed over. Connections stay, so that outcomes still reach the senders.
     */
    drain(): Promise<void>;
    /** Releases what is unsettled and closes. */
    close(): Promise<void>;
}
/** An embedded AMQP 1.0 endpoint. */
export interface AmqpListener extends AmqpIntake {
    readonly port: number;
    readonly connections: number;
}
export interface AmqpConnectOptions {
    /** `amqp://host[:port]` or `amqps://host[:port]`. */
    readonly url: string;
    readonly tls?: AmqpClientTls;
    /** Default: `plain` with a username, `external` with a client certificate, else `anonymous`. `none`: no SASL layer. */
    readonly sasl?: 'anonymous' | 'plain' | 'external' | 'none';
    readonly username?: string;
    readonly password?: string;
    /** Told each time the connection is lost (with the cause) and there again. */
    readonly onState?: (state: 'connected' | 'disconnected', reason: string) => void;
    readonly limits?: AmqpLimits;
}
/**
 * A connection to a broker. Lost, it is made again with capped exponential back-off and jitter,
 * and its receivers and senders with it, until `close`.
 */
export interface AmqpConnection {
    readonly connected: boolean;
    /** Attaches one link per address. Rejects when the broker refuses one. Call it once per connection. */
    receive(options: AmqpReceiveOptions): Promise<AmqpIntake>;
    /** Attaches a sending link. Without an address it is anonymous: each message goes to its own `to`. */
    sender(options: AmqpSenderOptions): Promise<AmqpSender>;
    close(): Promise<void>;
}
export interface AmqpSenderOptions {
    readonly address?: string;
    /** Asks for a durable target: a broker that creates the queue for us makes it one that outlives a restart. */
    readonly durable?: boolean;
    /** Time for a batch until all outcomes are in; default 30 000. */
    readonly timeoutMs?: number;
}
export interface AmqpOutgoing {
    /** Bytes or text. */
    readonly body: Uint8Array | string;
    /** `data`: a data section (text as UTF-8); `value`: amqp-value of binary or string. Default `data`. */
    readonly bodyAs?: 'data' | 'value';
    readonly durable?: boolean;
    readonly properties?: AmqpProperties;
    readonly applicationProperties?: Readonly<Record<string, string | number | boolean>>;
}
/** A message of a sent batch that was not accepted. */
export interface AmqpSendException {
    readonly index: number;
    /**
     * `retry`: released, modified, not sent in time, or in flight when the connection was lost; in
     * the last two cases the peer may have it all the same. `rejected`: the peer will never take it.
     */
    readonly kind: 'retry' | 'rejected';
    readonly code: string;
    readonly cause: string;
}
export interface AmqpSender {
    /** False while the connection is away. */
    readonly ready: boolean;
    /**
     * Sends in order, as the peer's credit allows, and resolves when every message has an outcome:
     * with the exceptions only, all others were accepted. Never rejects. Several calls may overlap.
     */
    send(batch: readonly AmqpOutgoing[]): Promise<readonly AmqpSendException[]>;
}
/** What plugins get as `context.amqp`. */
export interface AmqpHost {
    readonly version: 1;
    /** Binds the port and takes messages. Rejects with a ConfigError when the port or the TLS material is no good. */
    listen(options: AmqpListenOptions): Promise<AmqpListener>;
    /**
     * Resolves when the connection is open. Rejects with a NotConnectedError when the peer is away or slow,
     * with a ConfigError when the peer refused who we are or the settings can't work.
     */
    connect(options: AmqpConnectOptions): Promise<AmqpConnection>;
}
