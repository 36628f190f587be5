/** What was delivered within the window, oldest first. */
export class Memory {
  private readonly times = new Map<string, number>();

  get size(): number {
    return this.times.size;
  }

  /** When it was remembered; undefined when it was not, or before `since`. */
  seen(digest: string, since: number): number | undefined {
    const time = this.times.get(digest);
    return time === undefined || time < since ? undefined : time;
  }

  /** `time` is not before that of any other. */
  add(digest: string, time: number): void {
    this.times.delete(digest);
    this.times.set(digest, time);
  }

  /** Forgets what is older than `since`, then the oldest above `max`; gives how many of those there were. */
  trim(since: number, max: number): number {
    let early = 0;
    for (const [digest, time] of this.times) {
      if (time >= since) {
        if (this.times.size <= max) break;
        early++;
      }
      this.times.delete(digest);
    }
    return early;
  }
}
