/**
 * Time that never goes back: the wall's at the start, or the newest time remembered if that is
 * later, and from there on what has really passed. A wall clock that is set meanwhile changes nothing.
 */
export class SteadyClock {
  private readonly offset: number;
  private readonly passed: () => number;

  constructor(newest: number, wall: () => number = Date.now, passed: () => number = () => performance.now()) {
    this.passed = passed;
    this.offset = Math.max(wall(), newest) - passed();
  }

  /** Whole milliseconds. */
  now(): number {
    return Math.floor(this.offset + this.passed());
  }
}
