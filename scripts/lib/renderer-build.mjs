/** Builds the panel when its sources changed since the last build. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { exitOf } from './exit-of.mjs';
import { SetupError } from './setup-errors.mjs';

/** What the build is made from; everything below the folders. */
const SOURCES = ['renderer', 'gateway-core/protocol', 'gateway-core/plugin-api', 'package-lock.json'];

/**
 * A hash over names and contents: a checkout touches every file's time without changing it.
 *
 * @param {string} root
 * @returns {string}
 */
export function sourceHash(root) {
  const hash = createHash('sha256');
  for (const file of SOURCES.flatMap((source) => filesBelow(join(root, source)))) {
    hash
      .update(`${relative(root, file).replaceAll('\\', '/')}\0`)
      .update(readFileSync(file))
      .update('\0');
  }
  return hash.digest('hex');
}

/**
 * @param {string} path
 * @returns {string[]} sorted
 */
function filesBelow(path) {
  if (!existsSync(path)) return [];
  if (/\.(json|html|css|tsx?|mjs)$/.test(path)) return [path];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.name !== 'node_modules' && entry.name !== 'dist' && !/\.test\.tsx?$/.test(entry.name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) =>
      entry.isDirectory() ? filesBelow(join(path, entry.name)) : entry.isFile() ? [join(path, entry.name)] : [],
    );
}

/**
 * Makes `dist/renderer` current. The note of what it was made from is written last.
 *
 * @param {{ root: string, node: string, say: (line: string) => void }} options
 * @returns {Promise<void>} rejects with PB_START_RENDERER_BUILD
 */
export async function buildRenderer(options) {
  const config = join(options.root, 'renderer/vite.config.ts');
  const note = join(options.root, 'dist/renderer.stamp');
  const hash = sourceHash(options.root);
  if (
    existsSync(join(options.root, 'dist/renderer/index.html')) &&
    existsSync(note) &&
    readFileSync(note, 'utf8') === hash
  )
    return;
  const begun = Date.now();
  options.say('building the panel');
  rmSync(note, { force: true });
  const args = [join(options.root, 'node_modules/vite/bin/vite.js'), 'build', '--config', config, '--logLevel', 'warn'];
  const { code } = await exitOf(spawn(options.node, args, { cwd: options.root, stdio: ['ignore', 2, 'inherit'] }));
  if (code !== 0) throw new SetupError('PB_START_RENDERER_BUILD');
  mkdirSync(join(options.root, 'dist'), { recursive: true });
  writeFileSync(note, hash);
  options.say(`built the panel in ${((Date.now() - begun) / 1000).toFixed(1)} s`);
}
