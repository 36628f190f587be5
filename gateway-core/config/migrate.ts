import { CONFIG_VERSION } from './schema.ts';

/** One step from version `from` to `from + 1`, on plain data. */
export interface Migration {
  readonly from: number;
  apply(config: Readonly<Record<string, unknown>>): Record<string, unknown>;
}

/** In rising order, without gaps, ending at `CONFIG_VERSION - 1`. */
export const MIGRATIONS: readonly Migration[] = [];

/**
 * Brings a config of an older version up to `to`. The result carries the new version.
 * Undefined when a step is missing: that version was never released.
 */
export function migrate(
  config: Readonly<Record<string, unknown>>,
  from: number,
  to: number = CONFIG_VERSION,
  migrations: readonly Migration[] = MIGRATIONS,
): Record<string, unknown> | undefined {
  let current: Record<string, unknown> = { ...config };
  for (let version = from; version < to; version++) {
    const step = migrations.find((one) => one.from === version);
    if (step === undefined) return undefined;
    current = { ...step.apply(current), version: version + 1 };
  }
  return current;
}
