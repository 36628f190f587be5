import type { HandlerResult, Message } from '../plugin-api/index.ts';
import type { Tap } from './tap.ts';

/** The place of an instance where taps attach. While none is, it costs one boolean. */
export class TapPoint {
  active = false;
  private taps: readonly Tap[] = [];

  add(tap: Tap): void {
    this.taps = [...this.taps, tap];
    this.active = true;
  }

  remove(tap: Tap): void {
    this.taps = this.taps.filter((other) => other !== tap);
    this.active = this.taps.length > 0;
  }

  /** Messages that left a source or entered a sink. */
  passed(batch: readonly Message[], pipeline: string): void {
    for (const tap of this.taps) tap.offer(batch, undefined, pipeline, undefined);
  }

  /** Messages a handler was given, and what it made of each. `micros`: time per message. */
  handled(batch: readonly Message[], results: readonly HandlerResult[], pipeline: string, micros: number): void {
    for (const tap of this.taps) tap.offer(batch, results, pipeline, micros);
  }
}
