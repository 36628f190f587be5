/** Runs a plugin's tests in a thread of its own, where `patchbay/plugin-api` is found as in the gateway. */
import { relative } from 'node:path';
import { run } from 'node:test';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { provideApi } from '../../isolation/load-plugin.ts';
import { conformanceChecks } from '../../plugin-api/testing/index.ts';
import { keyOf, type FromTestWorker, type TestWork } from './wire.ts';

const port = parentPort as MessagePort;
const { folder, what, done } = workerData as TestWork;
const say = (message: FromTestWorker): void => port.postMessage(message);

provideApi();
await (what === 'conformance' ? conformance() : saved(what));
say({ t: 'end' });

async function conformance(): Promise<void> {
  const before = new Set(done);
  for (const { subject, name, notApplicable, run: runCheck } of await conformanceChecks(folder)) {
    const at = { subject, check: name };
    if (before.has(keyOf(at))) continue;
    if (notApplicable !== undefined) {
      say({ t: 'result', result: { ...at, result: 'not applicable', detail: notApplicable, ms: 0 } });
      continue;
    }
    say({ t: 'begin', ...at });
    const start = performance.now();
    let failure: string | undefined;
    try {
      await runCheck();
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error);
    }
    const ms = Math.round(performance.now() - start);
    say({ t: 'result', result: { ...at, result: failure === undefined ? 'ok' : 'failed', detail: failure ?? '', ms } });
  }
}

/** Tests written for `node:test`. */
async function saved(files: readonly string[]): Promise<void> {
  const path: string[] = [];
  for await (const { type, data } of run({ files: [...files], isolation: 'none' })) {
    if (type === 'test:start') {
      path.length = data.nesting;
      path[data.nesting] = data.name;
      if (data.nesting > 0 || data.name !== data.file)
        say({ t: 'begin', subject: subjectOf(data.file), check: path.join(' › ') });
    }
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    // Of a suite its tests speak, unless it failed without them.
    const { details, file, name, nesting, skip, todo } = data;
    const message = type === 'test:fail' ? messageOf(data.details.error) : '';
    if (details.type === 'suite' && !(type === 'test:fail' && !/subtests? failed/.test(message))) continue;
    path.length = nesting;
    const left = skip ?? todo;
    const result = left !== undefined && left !== false ? 'not applicable' : type === 'test:pass' ? 'ok' : 'failed';
    say({
      t: 'result',
      result: {
        subject: subjectOf(file),
        check: [...path, name].join(' › '),
        result,
        detail: result === 'not applicable' ? (typeof left === 'string' ? left : 'it is skipped') : message,
        ms: Math.round(details.duration_ms),
      },
    });
  }
}

function subjectOf(file: string | undefined): string {
  return file === undefined ? 'tests' : relative(folder, file);
}

function messageOf(error: Error): string {
  const { cause } = error;
  return cause instanceof Error ? cause.message : error.message;
}
