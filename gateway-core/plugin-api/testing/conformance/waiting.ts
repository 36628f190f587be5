import { setTimeout as pause } from 'node:timers/promises';
import { fail, textOf } from './check.ts';

export interface Patience {
  /** What the plugin has to do must be done within this. */
  readonly patienceMs: number;
  /** How long is watched that something does not happen. */
  readonly quietMs: number;
}

/** The result of `act`, which is called now. Fails when it takes longer, or throws. */
export async function inTime<T>(what: string, ms: number, act: () => T | Promise<T>): Promise<T> {
  let result: Outcome<T>;
  try {
    result = await settledWithin(ms, act());
  } catch (error) {
    fail(`${what} threw ${textOf(error)}`, error);
  }
  switch (result.kind) {
    case 'value':
      return result.value;
    case 'threw':
      fail(`${what} failed with ${textOf(result.error)}`, result.error);
    case 'late':
      return fail(`${what} did not end within ${ms / 1000} s`);
  }
}

export type Outcome<T> =
  | { readonly kind: 'value'; readonly value: T }
  | { readonly kind: 'threw'; readonly error: unknown }
  | { readonly kind: 'late' };

/** How a call ended, thrown errors included. */
export async function outcomeOf<T>(ms: number, act: () => T | Promise<T>): Promise<Outcome<T>> {
  try {
    return await settledWithin(ms, act());
  } catch (error) {
    return { kind: 'threw', error };
  }
}

async function settledWithin<T>(ms: number, work: T | Promise<T>): Promise<Outcome<T>> {
  let timer: NodeJS.Timeout | undefined;
  try {
    return await Promise.race([
      Promise.resolve(work).then(
        (value): Outcome<T> => ({ kind: 'value', value }),
        (error: unknown): Outcome<T> => ({ kind: 'threw', error }),
      ),
      new Promise<Outcome<T>>((resolve) => (timer = setTimeout(() => resolve({ kind: 'late' }), ms))),
    ]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits until `holds`; fails with `what` (or what it says then) when it never does. */
export async function until(
  what: string | (() => string),
  ms: number,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  const end = performance.now() + ms;
  while (!(await holds())) {
    if (performance.now() > end) fail(`${typeof what === 'string' ? what : what()} (waited ${ms / 1000} s)`);
    await pause(5);
  }
}

export async function quiet(ms: number): Promise<void> {
  await pause(ms);
}
