/** Writes a new plugin: a working one to start from, with types and tests. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PLUGIN_NAME } from '../../catalog/manifest-schema.ts';
import { plainReason } from '../../config/read-text-file.ts';
import { CodedError } from '../../engine/error.ts';

export type ScaffoldKind = 'source' | 'handler' | 'sink';

const here = fileURLToPath(new URL('./', import.meta.url));
const gatewayRoot = fileURLToPath(new URL('../../../', import.meta.url));

/** Names that would mean something to tools that read this repository. */
const RENAMED: Readonly<Record<string, string>> = {
  'tsconfig.template.json': 'tsconfig.json',
  'package.template.json': 'package.json',
  gitignore: '.gitignore',
};

/**
 * Writes a plugin of `kind`, named like its folder. Answers the files, relative to it. Throws
 * PB_PLUGIN_FOLDER_NAME or PB_PLUGIN_FOLDER_TAKEN, and then has written nothing.
 */
export async function writePlugin(folder: string, kind: ScaffoldKind): Promise<readonly string[]> {
  const root = resolve(folder);
  const name = basename(root);
  if (!new RegExp(PLUGIN_NAME).test(name)) throw new CodedError('PB_PLUGIN_FOLDER_NAME', { name: name.slice(0, 100) });
  await makeEmpty(root);
  const fill = (text: string): string =>
    text
      .replaceAll('EXAMPLE_PLUGIN', codePrefix(name))
      .replaceAll('example-plugin', name)
      .replaceAll('Example plugin', titleOf(name));

  const files = new Map<string, string>();
  for (const template of ['common', kind]) {
    const from = join(here, 'templates', template);
    for (const file of await readdir(from)) {
      const to = RENAMED[file] ?? file.replace(/_test\.ts$/, '.test.ts');
      files.set(to, fill(await readFile(join(from, file), 'utf8')));
    }
  }
  const types = join(here, 'types');
  for (const file of await filesBelow(types))
    files.set(join('types', relative(types, file)), await readFile(file, 'utf8'));
  for (const [to, text] of files) {
    await mkdir(dirname(join(root, to)), { recursive: true });
    await writeFile(join(root, to), text);
  }
  await linkGateway(root);
  return [...files.keys()].map((path) => path.replaceAll(sep, '/')).sort();
}

async function makeEmpty(root: string): Promise<void> {
  const taken = (reason: string): CodedError => new CodedError('PB_PLUGIN_FOLDER_TAKEN', { folder: root, reason });
  try {
    await mkdir(root, { recursive: true });
    if ((await readdir(root)).length > 0) throw taken('is not empty');
  } catch (error) {
    if (error instanceof CodedError) throw error;
    throw taken(`cannot be made: ${plainReason(error)}`);
  }
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/**
 * Lets plain `node --test` find `patchbay/plugin-api`; the catalogue leaves this link out. A packaged gateway has
 * no folder to link to, and some file systems no links: `patchbay plugins test` needs neither.
 */
async function linkGateway(root: string): Promise<void> {
  if (!existsSync(join(gatewayRoot, 'package.json')) || gatewayRoot.includes('.asar')) return;
  try {
    await mkdir(join(root, 'node_modules'));
    await symlink(gatewayRoot, join(root, 'node_modules', 'patchbay'), 'junction');
  } catch {
    // See above: it is a convenience.
  }
}

/** `acme-queue` → `ACME_QUEUE`: what the plugin's own error codes begin with. */
function codePrefix(name: string): string {
  const prefix = name.toUpperCase().replaceAll(/-+/g, '_').replaceAll(/^_|_$/g, '');
  return /^[A-Z]/.test(prefix) ? prefix : `P${prefix}`;
}

function titleOf(name: string): string {
  const words = name.replaceAll(/-+/g, ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
