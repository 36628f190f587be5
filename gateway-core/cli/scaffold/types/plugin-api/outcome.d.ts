/**
 * What became of a message. The host reports one outcome per emitted message;
 * where a message went several ways, the worst one (delivered < refused < retry). It counts as
 * filtered when nothing of it went on to any sink.
 */
export type Outcome = {
    readonly kind: 'delivered';
} | {
    readonly kind: 'filtered';
    readonly reason: string;
}
/** `stored`: it lies in the dead letters. That is custody: accept it upstream; reject it only when not stored. */
 | {
    readonly kind: 'refused';
    readonly code: string;
    readonly cause: string;
    readonly stored: boolean;
}
/** Not done and not kept: give it back upstream (AMQP released, HTTP 503). */
 | {
    readonly kind: 'retry';
    readonly code: string;
    readonly cause: string;
    readonly afterMs: number;
};
/** Outcomes of one emitted batch: every message not listed was delivered. */
export interface Outcomes {
    readonly exceptions: readonly {
        readonly index: number;
        readonly outcome: Outcome;
    }[];
}
/** The constant a source sees most of the time. */
export declare const ALL_DELIVERED: Outcomes;
/** True when upstream may be told that the message was taken: delivered, filtered, or stored as a dead letter. */
export declare function isTaken(outcome: Outcome): boolean;
