/** Where the checkout keeps what the scripts make. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const root = fileURLToPath(new URL('../../', import.meta.url)).replace(/[\\/]$/, '');
const onWindows = process.platform === 'win32';

/** @param {string} checkout */
export function layout(checkout) {
  const modules = join(checkout, 'node_modules');
  return {
    root: checkout,
    lockfile: join(checkout, 'package-lock.json'),
    modules,
    stamp: join(modules, '.patchbay-setup'),
    installedLock: join(modules, '.package-lock.json'),
    /** The Node to run everything with. */
    node: join(modules, '.bin', onWindows ? 'node.exe' : 'node'),
    /** A private Node and npm, where the machine's own are too old. */
    runtime: join(checkout, '.runtime'),
    setupLock: join(checkout, '.runtime', 'setup.lock'),
    cache: join(modules, '.cache'),
  };
}
