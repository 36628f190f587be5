import type { Handler } from '../../handler.ts';
import type { Sink } from '../../sink.ts';
import type { Source } from '../../source.ts';
import { fakeEmit } from '../context.ts';
import { fail } from './check.ts';
import { handlerWork } from './handler-checks.ts';
import { ResourceWatch } from './resources.ts';
import { sinkWork } from './sink-checks.ts';
import { closeInstance, create, endSource, type Instance } from './stage.ts';
import type { AnyRig, Subject } from './subject.ts';
import { inTime, outcomeOf, until, type Patience } from './waiting.ts';

/** Sockets that Node's own HTTP client keeps for the next request close after a few seconds. */
const LEAK_PATIENCE_MS = 6000;

/** Opens, does something and closes, twice with the same config, and leaves nothing behind. */
export async function checkOpensAndCloses(subject: Subject, rig: AnyRig, patience: Patience): Promise<void> {
  const watch = new ResourceWatch();
  try {
    await watch.run(() => twice(subject, rig, patience));
    await until(
      () => `it is closed, but left open: ${watch.left().slice(0, 5).join(', ')}`,
      Math.max(LEAK_PATIENCE_MS, patience.patienceMs),
      () => watch.left().length === 0,
    );
  } finally {
    watch.end();
  }
}

async function twice(subject: Subject, rig: AnyRig, patience: Patience): Promise<void> {
  const { patienceMs } = patience;
  if (subject.kind === 'sink') {
    // The host opens the same sink again after its peer was away.
    const instance = create(subject, rig.config) as Instance<Sink>;
    for (const time of ['', ' the second time']) {
      await inTime(`open()${time}`, patienceMs, () => instance.made.open());
      await outcomeOf(patienceMs, () => instance.made.write(sinkWork(subject, rig, ['once'])));
      if (time === '') await inTime('close()', patienceMs, () => instance.made.close());
    }
    await closeInstance(instance, patienceMs);
    return;
  }
  for (const time of ['', ' the second time']) {
    if (subject.kind === 'handler') {
      const instance = create(subject, rig.config) as Instance<Handler>;
      await inTime(`open()${time}`, patienceMs, () => instance.made.open?.());
      await outcomeOf(patienceMs, () => instance.made.handle(handlerWork(subject, rig)));
      await closeInstance(instance, patienceMs);
    } else {
      const instance = create(subject, rig.config) as Instance<Source>;
      const { emit } = fakeEmit();
      await inTime(`start()${time}`, patienceMs, () => instance.made.start(emit));
      await endSource(instance, patienceMs);
      const [failure] = instance.context.failures;
      if (failure !== undefined) fail('it called context.fail() although nothing had failed', failure);
    }
  }
}
