import { isTaken, type Emit, type Message, type Outcomes } from 'patchbay/plugin-api';
import { Rejection } from './answer.ts';

const RETRY_SECONDS = 5;

/**
 * The way from a request to its outcome. Requests take turns: the next one's events are emitted
 * when there is room again, and whoever has waited for too long is not emitted at all.
 */
export class Intake {
  private readonly emit: Emit;
  private turn: Promise<unknown> = Promise.resolve();
  private stopped = false;
  private readonly waiting = new Set<(rejection: Rejection) => void>();

  constructor(emit: Emit) {
    this.emit = emit;
  }

  /** Resolves when all were taken; throws a {@link Rejection} otherwise, at the latest after `timeoutMs`. */
  take(batch: readonly Message[], timeoutMs: number): Promise<void> {
    if (this.stopped) return Promise.reject(busy('the gateway is stopping'));
    return new Promise((resolve, reject) => {
      let emitted = false;
      const end = (finish: () => void): void => {
        clearTimeout(timer);
        this.waiting.delete(giveUp);
        finish();
      };
      const giveUp = (rejection: Rejection): void => end(() => reject(rejection));
      const timer = setTimeout(() => {
        giveUp(
          busy(
            emitted ? 'no outcome in time; the events may have been delivered all the same' : 'no room for more events',
          ),
        );
      }, timeoutMs);
      this.waiting.add(giveUp);
      const mine = async (): Promise<void> => {
        if (!this.waiting.has(giveUp) || this.stopped) return;
        emitted = true;
        const { admitted, outcomes } = this.emit(batch);
        outcomes.then(
          (all) => end(() => settle(all, resolve, reject)),
          () => giveUp(busy('the gateway is stopping')),
        );
        await admitted;
      };
      // A flow that has ended admits nothing: the next in turn finds out for itself.
      this.turn = this.turn.then(mine).catch(() => giveUp(busy('the gateway is stopping')));
    });
  }

  /** Emits nothing more. What was emitted keeps waiting for its outcome. */
  stop(): void {
    this.stopped = true;
  }

  /** Answers whoever still waits. */
  giveUp(): void {
    for (const giveUp of this.waiting) giveUp(busy('the gateway is stopping'));
  }
}

function busy(message: string, afterMs = 0): Rejection {
  return new Rejection(
    503,
    'PB_HTTP_EVENTS_BUSY',
    message,
    Math.max(Math.ceil(afterMs / 1000), afterMs > 0 ? 1 : RETRY_SECONDS),
  );
}

/** One answer for the whole request: what can be sent again decides before what cannot. */
function settle({ exceptions }: Outcomes, resolve: () => void, reject: (rejection: Rejection) => void): void {
  for (const { outcome } of exceptions) {
    if (outcome.kind === 'retry') return reject(busy(`${outcome.code}: ${outcome.cause}`, outcome.afterMs));
  }
  for (const { index, outcome } of exceptions) {
    if (isTaken(outcome) || outcome.kind !== 'refused') continue;
    // A plugin that threw is our fault, all else is about the event.
    const status = outcome.code === 'PB_PLUGIN_THREW' ? 500 : 400;
    return reject(new Rejection(status, 'PB_HTTP_EVENTS_REFUSED', `event ${index}: ${outcome.code}: ${outcome.cause}`));
  }
  resolve();
}
