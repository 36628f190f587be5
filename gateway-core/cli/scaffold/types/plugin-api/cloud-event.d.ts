/**
 * The form a message has outside the gateway (design §6): one CloudEvents 1.0 object in
 * structured mode. The one place that makes it: json-file, taps, captures and exports use it.
 */
import type { Message, MessageKind, Severity } from './message.js';
/** CloudEvents 1.0, JSON format, with our extension attributes. Safe to give to `JSON.stringify`. */
export interface CloudEvent {
    readonly specversion: '1.0';
    readonly id: string;
    readonly source: string;
    readonly type: string;
    /** RFC 3339, UTC, milliseconds. */
    readonly time?: string;
    readonly subject?: string;
    readonly datacontenttype?: string;
    /** A JSON value. Numbers JSON has no form for are the strings `NaN`, `Infinity` and `-Infinity`. */
    readonly data?: unknown;
    /** Instead of `data`: bytes that are not text. */
    readonly data_base64?: string;
    readonly kind: MessageKind;
    readonly severity?: Severity;
    readonly instance: string;
    readonly project: string;
    readonly partitionkey?: string;
}
/** Nesting beyond this is cut: `JSON.stringify` would overflow the stack on what JSON.parse still reads. */
export declare const MAX_DATA_DEPTH = 512;
/** The text of UTF-8 bytes (a byte order mark is left out), or undefined when they are not UTF-8. */
export declare function decodeText(bytes: Uint8Array): string | undefined;
/** Standard base64 with padding. */
export declare function encodeBase64(bytes: Uint8Array): string;
/**
 * The outside form of a message. Reading it makes the message's id, if it had none yet.
 *
 * Payload: bytes that are JSON text become `data` as that JSON with `datacontenttype`
 * `application/json`, other UTF-8 a string, anything else `data_base64`. Text that is a JSON
 * object or array is read likewise (`"42"` stays a string). An upstream that named the
 * payload's type (`attributes.datacontenttype`) keeps it for text and bytes.
 * JSON's numbers pass through doubles: integers beyond 2^53 lose their last digits.
 */
export declare function toCloudEvent(message: Message): CloudEvent;
/** True for `application/json`, `text/json` and `…+json`, with or without parameters. */
export declare function isJsonType(contentType: string): boolean;
/**
 * The value as JSON can hold it: the same one where nothing needs a change, else a copy.
 * Bytes become base64, big integers numbers or else strings, NaN and infinities strings;
 * below {@link MAX_DATA_DEPTH} levels the text `nested too deep` stands in.
 */
export declare function toJsonValue(value: unknown): unknown;
