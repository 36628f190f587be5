/** Those who wait for something to come about: room, or that nothing is left. */
export class Waiters {
  private waiting: (() => void)[] = [];

  /** Resolves at the next `wake`. */
  wait(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** Wakes all who wait now; whoever waits again meanwhile waits for the next time. */
  wake(): void {
    const { waiting } = this;
    if (waiting.length === 0) return;
    this.waiting = [];
    for (const resolve of waiting) resolve();
  }
}
