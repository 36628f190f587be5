/** Which checks there are for a plugin, and which of them can run. */
import { errorRegistry } from '../../../protocol/errors/index.ts';
import { fail, textOf, type Check } from './check.ts';
import { checkBadConfigs, checkSchemaRefuses, checkSchemaSpeaks } from './config-checks.ts';
import {
  checkHandlerOrder,
  checkHandlerReconfigures,
  checkHandlerRefuses,
  checkHandlerStopsBusy,
  checkLineage,
  checkOneResultEach,
} from './handler-checks.ts';
import { checkFailsToKeep, checkForgetsGivenBack, checkKeepsSettled, checkSettlesFirst } from './settled-checks.ts';
import { checkOpensAndCloses } from './lifecycle-checks.ts';
import { fieldsOf } from './schema-variations.ts';
import { withScratch } from './scratch.ts';
import {
  checkConcurrency,
  checkDoneMeansDone,
  checkSinkOrder,
  checkSinkReconfigures,
  checkSinkReconnects,
  checkSinkRefuses,
  checkSinkStopsBusy,
} from './sink-checks.ts';
import {
  checkBackPressure,
  checkBatches,
  checkOutcomes,
  checkSourceOrder,
  checkSourceReconfigures,
  checkSourceReconnects,
  checkSourceRefuses,
  checkSourceStopsBusy,
} from './source-checks.ts';
import { create, listenPlaces, rigOf } from './stage.ts';
import type { AnyRig, LoadedPlugin, Subject } from './subject.ts';
import type { Patience } from './waiting.ts';

/** What is known of a contribution before any check runs. */
interface Probe {
  /** Undefined: no config is known that works. */
  readonly rig: AnyRig | undefined;
  readonly problem: unknown;
  readonly reconfigures: boolean;
  /** A handler that is told what became of its inputs. */
  readonly settles: boolean;
}

export async function buildChecks(plugin: LoadedPlugin, patience: Patience): Promise<Check[]> {
  const checks: Check[] = [
    {
      subject: 'plugin.json',
      name: 'manifest',
      notApplicable: undefined,
      async run() {
        if (plugin.problem !== undefined) fail(textOf(plugin.problem), plugin.problem);
      },
    },
  ];
  if (plugin.conformanceProblem !== undefined)
    checks.push({
      subject: 'conformance.ts',
      name: 'can be used',
      notApplicable: undefined,
      async run() {
        fail(textOf(plugin.conformanceProblem), plugin.conformanceProblem);
      },
    });
  const known = new Set([...Object.keys(errorRegistry), ...(plugin.manifest.errors ?? []).map(({ code }) => code)]);
  for (const subject of plugin.subjects) checks.push(...(await checksOf(subject, known, patience)));
  for (const { kind, name } of plugin.manifest.contributes) {
    if (kind === 'source' || kind === 'handler' || kind === 'sink') continue;
    checks.push({
      subject: `${kind} ${name}`,
      name: 'conformance',
      notApplicable: `there are no conformance tests for ${kind}s yet`,
      run: () => Promise.resolve(),
    });
  }
  return checks;
}

async function probe(subject: Subject): Promise<Probe> {
  if (subject.definition === undefined)
    return { rig: undefined, problem: subject.loadProblem, reconfigures: false, settles: false };
  try {
    return await withScratch(async (scratch) => {
      const rig = await rigOf(subject, scratch);
      if (rig === undefined) return { rig, problem: undefined, reconfigures: false, settles: false };
      const { made, context } = create(subject, rig.config);
      context.abort();
      const settles = 'settled' in made && made.settled !== undefined;
      return { rig, problem: undefined, reconfigures: made.reconfigure !== undefined, settles };
    });
  } catch (error) {
    return { rig: undefined, problem: error, reconfigures: false, settles: false };
  }
}

const supply = (what: string): string => `supply \`${what}\` in conformance.ts`;

async function checksOf(subject: Subject, codes: ReadonlySet<string>, patience: Patience): Promise<Check[]> {
  const { kind, contribution } = subject;
  const { rig, problem, reconfigures, settles } = await probe(subject);
  const noRig =
    problem !== undefined
      ? 'it could not be made: see the check "definition"'
      : rig === undefined
        ? supply('config')
        : undefined;
  const takesConfig = fieldsOf(subject.schema).length > 0;
  const noConfig = takesConfig ? undefined : 'it takes no config';
  const checks: Check[] = [];
  const add = (name: string, unless: string | undefined, act: (rig: AnyRig) => void | Promise<void>): void => {
    checks.push({
      subject: subject.label,
      name,
      notApplicable: noRig ?? unless,
      run: () =>
        withScratch(async (scratch) => {
          const fresh = await rigOf(subject, scratch);
          if (fresh === undefined) fail('conformance.ts gave a config before and gives none now');
          await act(fresh);
        }),
    });
  };

  checks.push({
    subject: subject.label,
    name: 'definition',
    notApplicable: undefined,
    async run() {
      if (problem !== undefined) fail(textOf(problem), problem);
      if (settles && contribution.stateful !== true)
        fail('it has settled(), so its contribution in plugin.json must say `"stateful": true`');
    },
  });
  checks.push({
    subject: subject.label,
    name: 'config schema',
    notApplicable: noConfig,
    async run() {
      checkSchemaSpeaks(subject);
    },
  });
  add('config refused by the schema', noConfig, (r) => checkSchemaRefuses(subject, r.config));
  const bad =
    rig === undefined
      ? 0
      : listenPlaces(subject, rig.config).length + Object.keys(subject.trial?.badConfigs ?? {}).length;
  checks.push({
    subject: subject.label,
    name: 'config that cannot work',
    notApplicable: noRig ?? noConfig ?? (bad === 0 ? supply('badConfigs') : undefined),
    run: () =>
      withScratch(async (scratch) => {
        const fresh = await rigOf(subject, scratch);
        if (fresh !== undefined) await checkBadConfigs(subject, fresh, scratch, patience);
      }),
  });
  add('opens and closes', undefined, (r) => checkOpensAndCloses(subject, r, patience));

  const noReconfigure = !reconfigures
    ? 'it has no reconfigure(): the host restarts it'
    : rig?.other === undefined
      ? supply('other')
      : undefined;
  if (kind === 'handler') {
    add('one result per message', undefined, (r) => checkOneResultEach(subject, r, patience));
    add('order', undefined, (r) => checkHandlerOrder(subject, r, patience));
    add('lineage', undefined, (r) => checkLineage(subject, r, patience));
    add('refused messages', undefined, (r) => checkHandlerRefuses(subject, r, codes, patience));
    if (settles) {
      add('remembers nothing before the outcome', undefined, (r) => checkSettlesFirst(subject, r, patience));
      add('remembers nothing that came back', undefined, (r) => checkForgetsGivenBack(subject, r, patience));
      add('keeps what is settled', undefined, (r) => checkKeepsSettled(subject, r, patience));
      add('says what it could not keep', undefined, (r) => checkFailsToKeep(subject, r, patience));
    }
    add('stop while busy', undefined, (r) => checkHandlerStopsBusy(subject, r, patience));
    add('reconfigure', noReconfigure, (r) => checkHandlerReconfigures(subject, r, patience));
  } else if (kind === 'sink') {
    const noReceived = rig?.received === undefined ? supply('received') : undefined;
    const single = (contribution.concurrency ?? 1) === 1 ? 'plugin.json allows one write at a time' : undefined;
    add('order', noReceived, (r) => checkSinkOrder(subject, r, patience));
    add('done means done', noReceived, (r) => checkDoneMeansDone(subject, r, patience));
    add('concurrency', single ?? noReceived, (r) => checkConcurrency(subject, r, patience));
    add('refused messages', undefined, (r) => checkSinkRefuses(subject, r, codes, patience));
    add('reconnect', rig?.peer === undefined ? supply('peer') : undefined, (r) =>
      checkSinkReconnects(subject, r, patience),
    );
    add('stop while busy', undefined, (r) => checkSinkStopsBusy(subject, r, patience));
    add('reconfigure', noReconfigure, (r) => checkSinkReconfigures(subject, r, patience));
  } else {
    const noSend = rig?.send === undefined ? supply('send') : undefined;
    const noInput = rig?.emitsAlone === true ? undefined : noSend;
    add('batches', noInput, (r) => checkBatches(subject, r, patience));
    add('order', noSend, (r) => checkSourceOrder(subject, r, patience));
    add('back-pressure', noInput, (r) => checkBackPressure(subject, r, patience));
    add('outcomes', noSend ?? (rig?.verdicts === undefined ? supply('verdicts') : undefined), (r) =>
      checkOutcomes(subject, r, patience),
    );
    add('refused messages', noSend ?? (rig?.sendDamaged === undefined ? supply('sendDamaged') : undefined), (r) =>
      checkSourceRefuses(subject, r, codes, patience),
    );
    add('reconnect', noSend ?? (rig?.peer === undefined ? supply('peer') : undefined), (r) =>
      checkSourceReconnects(subject, r, patience),
    );
    add('stop while busy', noInput, (r) => checkSourceStopsBusy(subject, r, patience));
    add('reconfigure', noReconfigure ?? noInput, (r) => checkSourceReconfigures(subject, r, patience));
  }
  return checks;
}
