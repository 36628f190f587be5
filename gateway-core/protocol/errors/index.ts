/**
 * The one registry of coded errors. Each area has its file; a test holds registry,
 * docs/errors.md and use together. Plugins declare theirs in plugin.json.
 */
import { amqpErrors } from './amqp.ts';
import { appErrors } from './app.ts';
import { configErrors } from './config.ts';
import { controlErrors } from './control.ts';
import { deadLetterErrors } from './dead-letters.ts';
import { engineErrors } from './engine.ts';
import { flowErrors } from './flow.ts';
import { pluginErrors } from './plugin.ts';
import { spoolErrors } from './spool.ts';
import { storageErrors } from './storage.ts';

export interface ErrorEntry {
  /** What happened; `{name}` is filled in from the error's details. */
  readonly template: string;
  readonly cause: string;
  readonly remedy: string;
}

export const errorRegistry = {
  ...amqpErrors,
  ...appErrors,
  ...configErrors,
  ...controlErrors,
  ...deadLetterErrors,
  ...engineErrors,
  ...flowErrors,
  ...pluginErrors,
  ...spoolErrors,
  ...storageErrors,
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorRegistry;

/** Fills in a template: `fill('port {port} is taken', { port: 80 })`. Unknown names stay as they are. */
export function fill(template: string, values: Readonly<Record<string, unknown>>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? String(values[name]) : whole));
}
