/** Bundles Electron's preload to the one CommonJS file that a sandboxed window takes: types are not stripped there. */
import { spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { exitOf } from './exit-of.mjs';
import { SetupError } from './setup-errors.mjs';

/**
 * Makes `dist/electron/preload.cjs`, if it is older than its source.
 *
 * @param {{ root: string, node: string }} options
 * @returns {Promise<void>} rejects with PB_START_PRELOAD_BUILD
 */
export async function buildPreload(options) {
  const source = join(options.root, 'electron/preload.ts');
  const target = join(options.root, 'dist/electron/preload.cjs');
  if (existsSync(target) && statSync(target).mtimeMs > statSync(source).mtimeMs) return;
  const config = join(options.root, 'electron/vite.preload.config.ts');
  const args = [join(options.root, 'node_modules/vite/bin/vite.js'), 'build', '--config', config, '--logLevel', 'warn'];
  const { code } = await exitOf(
    spawn(options.node, args, { cwd: options.root, stdio: ['ignore', 'ignore', 'inherit'] }),
  );
  if (code !== 0) throw new SetupError('PB_START_PRELOAD_BUILD');
}
