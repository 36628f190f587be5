import type { StageTime } from '../flow/stage-time.ts';
import type { Sink } from '../plugin-api/index.ts';

/** The same sink, its writes measured into `time`. */
export function timedSink(sink: Sink, time: StageTime): Sink {
  const leave = (): void => time.leave();
  return {
    open: () => sink.open(),
    close: () => sink.close(),
    write: (batch) => {
      const begun = time.begin();
      try {
        const answer = sink.write(batch);
        if (answer instanceof Promise) {
          time.enter();
          answer.then(leave, leave);
        }
        return answer;
      } finally {
        time.end(begun);
      }
    },
  };
}
