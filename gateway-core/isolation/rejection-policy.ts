/** What follows from promises that an instance left rejected and unhandled: said at once, restarted when they repeat. */
import { PatchbayError } from '../plugin-api/errors.ts';
import type { Health } from '../plugin-api/index.ts';
import type { ContextServices } from './instance-context.ts';

export interface RejectionPolicyOptions {
  readonly instance: string;
  readonly services: Pick<ContextServices, 'logger' | 'notice'>;
  readonly onHealth: (health: Health) => void;
  readonly onFail: (error: unknown) => void;
  readonly ended: () => boolean;
}

/** So many within {@link WINDOW_MS}, and the instance is restarted. */
export const REJECTIONS_TO_RESTART = 3;
const WINDOW_MS = 60_000;

export class RejectionPolicy {
  private readonly options: RejectionPolicyOptions;
  private times: number[] = [];
  private calm: NodeJS.Timeout | undefined;

  constructor(options: RejectionPolicyOptions) {
    this.options = options;
  }

  take(error: unknown): void {
    const { instance, services, onHealth, onFail, ended } = this.options;
    const reason = error instanceof Error ? error.message : String(error);
    services
      .logger(instance)
      .error(ended() ? 'a promise was rejected after the instance had ended' : 'a rejected promise was not handled', {
        error: error instanceof Error ? (error.stack ?? reason) : reason,
      });
    if (ended()) return;
    const now = performance.now();
    this.times = [...this.times.filter((time) => now - time < WINDOW_MS), now];
    if (this.times.length === 1) services.notice(instance, 'PB_INSTANCE_REJECTION', { name: instance, reason });
    clearTimeout(this.calm);
    if (this.times.length >= REJECTIONS_TO_RESTART) {
      const times = this.times.length;
      this.times = [];
      onFail(
        new PatchbayError('PB_INSTANCE_REJECTION', `${times} rejected promises were not handled; the last: ${reason}`),
      );
      return;
    }
    onHealth({ state: 'degraded', reason: `a rejected promise was not handled: ${reason}` });
    this.calm = setTimeout(() => onHealth({ state: 'running' }), WINDOW_MS).unref();
  }

  end(): void {
    clearTimeout(this.calm);
  }
}
