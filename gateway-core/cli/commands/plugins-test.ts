import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { CodedError } from '../../engine/error.ts';
import { EXIT } from '../exit.ts';
import { print, printError, printJson, printTable } from '../output.ts';
import { runPluginTests } from '../plugin-tests/run-plugin-tests.ts';

interface Options {
  readonly json?: boolean;
}

/** Runs conformance and saved tests of the plugin in `dir`. Exit 0: nothing failed; 1: something did; 2: no plugin there. */
export async function test(dir: string, options: Options): Promise<number> {
  const folder = resolve(dir);
  const json = options.json === true;
  const manifest = await readFile(join(folder, 'plugin.json')).catch(() => undefined);
  if (manifest === undefined) {
    printError(new CodedError('PB_PLUGIN_NONE_HERE', { folder }), json);
    return EXIT.usage;
  }
  const results = await runPluginTests(folder, { onOutput: (text) => process.stderr.write(text) });
  const count = (what: string): number => results.filter(({ result }) => result === what).length;
  const failed = count('failed');
  if (json) printJson({ folder, ok: failed === 0, results });
  else {
    printTable(
      ['what', 'check', 'result', 'detail'],
      results.map(({ subject, check, result, detail }) => [subject, check, result, detail.replaceAll(/\s+/g, ' ')]),
    );
    print();
    print(`${count('ok')} ok, ${failed} failed, ${count('not applicable')} not applicable`);
  }
  return failed === 0 ? EXIT.ok : EXIT.failed;
}
