import { describe, expect, it } from 'vitest';
import { Pump, type PumpClock } from './pump.ts';

/** A clock that moves only when told, and frames that run only when asked for. */
function stage() {
  let now = 0;
  let next: (() => void) | undefined;
  const clock: PumpClock = {
    now: () => now,
    soon: (callback) => {
      next = callback;
      return () => {
        next = undefined;
      };
    },
  };
  return {
    clock,
    pass: (ms: number) => {
      now += ms;
    },
    frame: () => {
      const run = next;
      next = undefined;
      run?.();
      return run !== undefined;
    },
  };
}

describe('Pump', () => {
  it('does as much as fits the budget per frame, in order', () => {
    const { clock, pass, frame } = stage();
    const done: number[] = [];
    let flushed = 0;
    const pump = new Pump({ clock, budget: 8, flushed: () => flushed++ });
    for (let i = 0; i < 5; i++) {
      void pump.push(() => {
        done.push(i);
        pass(3);
      });
    }
    expect(done).toEqual([]);
    frame();
    expect(done).toEqual([0, 1, 2]);
    expect(pump.waiting).toBe(2);
    frame();
    expect(done).toEqual([0, 1, 2, 3, 4]);
    expect(flushed).toBe(2);
    expect(frame()).toBe(false);
  });

  it('moves on by one job per frame even when each is over budget', () => {
    const { clock, pass, frame } = stage();
    const pump = new Pump({ clock, budget: 8, flushed: () => undefined });
    void pump.push(() => pass(50));
    void pump.push(() => pass(50));
    frame();
    expect(pump.waiting).toBe(1);
    frame();
    expect(pump.waiting).toBe(0);
  });

  it('resolves a push only when its work is done', async () => {
    const { clock, frame } = stage();
    const pump = new Pump({ clock, flushed: () => undefined });
    let credited = false;
    const pushed = pump.push(() => undefined).then(() => (credited = true));
    await Promise.resolve();
    expect(credited).toBe(false);
    frame();
    await pushed;
    expect(credited).toBe(true);
  });

  it('lets nothing wait for ever when closed', async () => {
    const { clock, frame } = stage();
    const pump = new Pump({ clock, flushed: () => undefined });
    let ran = false;
    const pushed = pump.push(() => {
      ran = true;
    });
    pump.close();
    await pushed;
    await pump.push(() => {
      ran = true;
    });
    expect(frame()).toBe(false);
    expect(ran).toBe(false);
  });
});
