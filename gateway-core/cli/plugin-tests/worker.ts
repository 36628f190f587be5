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
  for (const check of await conformanceChecks(folder)) {
    const { subject, name, notApplicable } = check;
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
      await check.run();
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error);
    }
    const ms = Math.round(performance.now() - start);
    say({ t: 'result', result: { ...at, result: failure === undefined ? 'ok' : 'failed', detail: failure ?? '', ms } });
  }
}

/** What is used of the events of `node:test`. */
interface TestEvent {
  readonly type: string;
  readonly data: {
    readonly name: string;
    readonly nesting: number;
    readonly file?: string;
    readonly skip?: string | boolean;
    readonly todo?: string | boolean;
    readonly details?: { readonly type?: string; readonly duration_ms: number; readonly error?: Error };
  };
}

/** Tests written for `node:test`. */
async function saved(files: readonly string[]): Promise<void> {
  const path: string[] = [];
  for await (const { type, data } of run({ files: [...files], isolation: 'none' }) as AsyncIterable<TestEvent>) {
    const { name, nesting, file, details, skip, todo } = data;
    const subject = file === undefined ? 'tests' : relative(folder, file);
    if (type === 'test:start') {
      path.length = nesting;
      path[nesting] = name;
      say({ t: 'begin', subject, check: path.join(' › ') });
    }
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const message = type === 'test:fail' ? messageOf(details?.error) : '';
    // Of a suite its tests speak, unless it failed without them.
    if (details?.type === 'suite' && (type === 'test:pass' || /subtests? failed/.test(message))) continue;
    path.length = nesting;
    const left = skip ?? todo ?? false;
    const result = left !== false ? 'not applicable' : type === 'test:pass' ? 'ok' : 'failed';
    const detail = left === false ? message : typeof left === 'string' && left !== '' ? left : 'it is skipped';
    const ms = Math.round(details?.duration_ms ?? 0);
    say({ t: 'result', result: { subject, check: [...path, name].join(' › '), result, detail, ms } });
  }
}

function messageOf(error: Error | undefined): string {
  const { cause } = error ?? {};
  return cause instanceof Error ? cause.message : (error?.message ?? 'it failed');
}
