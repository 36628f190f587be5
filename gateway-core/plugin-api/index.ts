/** All that a plugin may import. Version 1. */
export * from './action.ts';
export * from './amqp.ts';
export { decodeText, encodeBase64, isJsonType, toCloudEvent, toJsonValue } from './cloud-event.ts';
export type { CloudEvent } from './cloud-event.ts';
export * from './context.ts';
export * from './errors.ts';
export * from './executor.ts';
export * from './handler.ts';
export { listenError, type ListenPaths } from './listen-error.ts';
export * from './manifest.ts';
export { derive } from './message.ts';
export type {
  EventData,
  LogData,
  Message,
  MessageChange,
  MessageInit,
  MessageKind,
  Metric,
  Severity,
} from './message.ts';
export * from './outcome.ts';
export * from './sink.ts';
export * from './source.ts';
