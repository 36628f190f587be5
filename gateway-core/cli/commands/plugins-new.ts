import { resolve } from 'node:path';
import { CodedError } from '../../engine/error.ts';
import { EXIT } from '../exit.ts';
import { print, printError, printJson } from '../output.ts';
import { writePlugin, type ScaffoldKind } from '../scaffold/write-plugin.ts';

interface Options {
  readonly kind: ScaffoldKind;
  readonly json?: boolean;
}

/** Writes a new plugin into `dir`, which must be empty or not there. Exit 2 when it can't be used. */
export async function create(dir: string, { kind, json = false }: Options): Promise<number> {
  const folder = resolve(dir);
  let files: readonly string[];
  try {
    files = await writePlugin(folder, kind);
  } catch (error) {
    printError(error, json);
    return error instanceof CodedError && error.code.startsWith('PB_PLUGIN_FOLDER') ? EXIT.usage : EXIT.failed;
  }
  if (json) printJson({ folder, kind, files });
  else {
    print(`A ${kind} in ${folder}:`);
    for (const file of files) if (!file.startsWith('types/')) print(`  ${file}`);
    print('  types/  (of patchbay/plugin-api, for the editor)');
    print();
    print(`Next: patchbay plugins test ${dir}`);
  }
  return EXIT.ok;
}
