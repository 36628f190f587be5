import type { ResolvedConfig } from '../config/resolved.ts';
import type { Totals } from './fleet.ts';

/** Watches sources with `expect`: silence longer than stated is told once, and when it ends. */
export class SilenceWatch {
  /** Silent sources and since when (ms since the epoch). */
  readonly silent = new Map<string, number>();
  private readonly began = new Map<string, number>();

  /** Compares the last messages with what is expected. Returns who fell silent and who spoke again. */
  look(now: number, config: ResolvedConfig | null, totals: Totals): { fell: string[]; spoke: string[] } {
    const fell: string[] = [];
    const spoke: string[] = [];
    const watched = new Set<string>();
    for (const instance of config?.instances.values() ?? []) {
      if (instance.expectEveryMs === 0 || !instance.enabled) continue;
      const { name } = instance;
      watched.add(name);
      if (!this.began.has(name)) this.began.set(name, now);
      const last = Math.max(totals.instances.get(name)?.lastMessage ?? 0, this.began.get(name) ?? now);
      const silent = now - last > instance.expectEveryMs;
      if (silent && !this.silent.has(name)) {
        this.silent.set(name, last);
        fell.push(name);
      } else if (!silent && this.silent.delete(name)) spoke.push(name);
    }
    for (const name of [...this.began.keys()]) {
      if (watched.has(name)) continue;
      this.began.delete(name);
      this.silent.delete(name);
    }
    return { fell, spoke };
  }
}
