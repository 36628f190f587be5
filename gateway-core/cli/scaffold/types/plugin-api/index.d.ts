/** All that a plugin may import. Version 1. */
export * from './action.js';
export * from './amqp.js';
export { decodeText, encodeBase64, isJsonType, toCloudEvent, toJsonValue } from './cloud-event.js';
export type { CloudEvent } from './cloud-event.js';
export * from './context.js';
export * from './errors.js';
export * from './executor.js';
export * from './handler.js';
export { listenError, type ListenPaths } from './listen-error.js';
export * from './manifest.js';
export { derive } from './message.js';
export type { EventData, LogData, Message, MessageChange, MessageInit, MessageKind, Metric, Severity, } from './message.js';
export * from './outcome.js';
export * from './sink.js';
export * from './source.js';
