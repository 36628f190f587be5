import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { openCatalogue } from '../../catalog/catalogue.ts';
import { parseConfig } from '../../config/parse.ts';
import { probePort } from '../../config/port-probe.ts';
import { hasErrors } from '../../config/problem.ts';
import { validateConfig } from '../../config/validate.ts';
import { readConfigFile } from '../../engine/config-keeper.ts';
import { defaultDataFolder } from '../../engine/data-folder.ts';
import { openSecrets } from '../../engine/secrets.ts';
import { checkExpression } from '../../flow/expression.ts';
import { EXIT } from '../exit.ts';
import { print, printJson, problemText } from '../output.ts';

interface ValidateOptions {
  readonly json?: boolean;
  readonly data?: string;
  readonly plugins?: readonly string[];
  readonly connect?: boolean;
}

/** Checks without a gateway: nothing is started, nothing is written. Exit 78 when there are errors. */
export async function validate(file: string, options: ValidateOptions): Promise<number> {
  const yaml = file === '-' ? await text(process.stdin) : await readConfigFile(file);
  const data = options.data ?? defaultDataFolder();
  const scratch = await mkdtemp(join(tmpdir(), 'patchbay-validate-'));
  try {
    const catalogue = await openCatalogue({
      builtInFolder: fileURLToPath(new URL('../../../plugins/', import.meta.url)),
      userFolder: join(data, 'plugins'),
      extraFolders: (options.plugins ?? []).map((path) => resolve(path)),
      cacheFolder: scratch,
    });
    try {
      const { problems } = await validateConfig(parseConfig(yaml), {
        catalogue,
        env: process.env,
        folder: file === '-' ? process.cwd() : dirname(resolve(file)),
        secrets: openSecrets(data),
        checkExpression,
        ...(options.connect === true ? { portProbe: probePort } : {}),
      });
      if (options.json === true) printJson({ valid: !hasErrors(problems), problems });
      else {
        for (const problem of problems) process.stderr.write(`${problemText(problem, file)}\n`);
        if (!hasErrors(problems)) print(`${file} is valid.`);
      }
      return hasErrors(problems) ? EXIT.config : EXIT.ok;
    } finally {
      await catalogue.close();
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
