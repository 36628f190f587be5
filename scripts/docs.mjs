/** Writes the generated pages of docs/; with `--check` it only says which are not current. Needs Node 24. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pages } from './docs/pages.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const check = process.argv.includes('--check');
let old = 0;
for (const [path, text] of await pages(root)) {
  const present = await readFile(join(root, path), 'utf8').catch(() => '');
  if (present === text) continue;
  old++;
  if (check) console.error(`${path} is not current: run node scripts/docs.mjs`);
  else await writeFile(join(root, path), text);
}
if (check && old > 0) process.exitCode = 1;
