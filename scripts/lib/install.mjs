/** The slow half of the setup: fetches a Node and a npm where needed, then what package-lock.json names. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { acquireLock } from './lock.mjs';
import { findNpm, runNpm } from './npm.mjs';
import { NODE_MAJOR, PACKAGED_NPM, chooseNode, chooseNpm, major } from './runtime-choice.mjs';
import { SetupError } from './setup-errors.mjs';
import { stampOf, treeMatches } from './stamp.mjs';

/** The oldest Node that the setup itself runs on. */
const OLDEST_NODE = 18;

/**
 * @param {ReturnType<typeof import('./paths.mjs').layout>} paths
 * @param {{ say: (line: string) => void, isReady: () => boolean, link: (target: string) => void, limitMs: number }} options
 * @returns {Promise<string>} the path of the Node to run everything with
 */
export async function installAll(paths, options) {
  if (major(process.version) < OLDEST_NODE) throw new SetupError('PB_SETUP_NODE_TOO_OLD', { version: process.version });
  const { say } = options;
  guardWrites(paths.root, () => mkdirSync(paths.runtime, { recursive: true }));
  const release = await acquireLock(paths.setupLock, {
    limitMs: options.limitMs,
    onWait: (pid) => say(`another setup is running (process ${pid}), waiting for it`),
    onLimit: (pid) => new SetupError('PB_SETUP_BUSY', { pid, minutes: Math.round(options.limitMs / 60_000) }),
  });
  process.once('exit', release);
  try {
    // The one we waited for may have done it all.
    if (options.isReady()) return paths.node;
    const { node, npm } = await provideRuntime(paths, say);
    // Read before: should the lock change meanwhile, the next start sees it.
    const lock = existsSync(paths.lockfile) ? readFileSync(paths.lockfile) : undefined;
    await provideModules(paths, { node, npm, say });
    guardWrites(paths.root, () => {
      options.link(node);
      writeFileSync(
        paths.stamp,
        stampOf({ lock: lock ?? readFileSync(paths.lockfile), platform: process.platform, arch: process.arch }),
      );
    });
    return paths.node;
  } finally {
    release();
    process.removeListener('exit', release);
  }
}

/**
 * @param {ReturnType<typeof import('./paths.mjs').layout>} paths
 * @param {(line: string) => void} say
 * @returns {Promise<{ node: string, npm: string }>} the binary, and npm's entry file
 */
async function provideRuntime(paths, say) {
  const nodeChoice = chooseNode({
    version: process.version,
    platform: process.platform,
    arch: process.arch,
    musl: isMusl(),
  });
  if (nodeChoice.kind === 'none') {
    throw new SetupError('PB_SETUP_NO_RUNTIME', {
      platform: `${process.platform} ${process.arch}`,
      version: process.version,
      howto: nodeChoice.howto,
    });
  }
  const ownNpm = findNpm({ environment: process.env, execPath: process.execPath, platform: process.platform });
  const privateNpm = join(paths.runtime, 'node_modules/npm/bin/npm-cli.js');
  const npmChoice = chooseNpm(ownNpm?.version);

  /** @type {Record<string, string>} */
  const wanted = {};
  if (nodeChoice.kind === 'package') wanted[nodeChoice.name] = nodeChoice.version;
  if (npmChoice === 'package') wanted['npm'] = PACKAGED_NPM;
  const missing = Object.entries(wanted).filter(([name, version]) => installedVersion(paths.runtime, name) !== version);
  if (missing.length > 0 || (npmChoice === 'none' && !existsSync(privateNpm))) {
    if (ownNpm === undefined) throw new SetupError('PB_SETUP_NO_NPM');
    const reasons = [
      ...(nodeChoice.kind === 'package'
        ? [`this machine's Node is ${process.version.slice(1)}, Patchbay runs on ${NODE_MAJOR}`]
        : []),
      ...(npmChoice === 'package' ? [`its npm is ${ownNpm.version}, 11 is needed`] : []),
    ];
    const names = Object.entries(wanted).map(([name, version]) => `${name}@${version}`);
    say(`${reasons.join('; ')}: fetching ${names.join(' and ')}`);
    const begun = Date.now();
    guardWrites(paths.root, () => {
      writeFileSync(
        join(paths.runtime, 'package.json'),
        `${JSON.stringify({ private: true, dependencies: wanted }, undefined, 2)}\n`,
      );
    });
    const args = ['install', '--ignore-scripts', '--no-package-lock', '--omit=optional', '--global=false'];
    await runNpm({
      node: process.execPath,
      cli: ownNpm.cli,
      cwd: paths.runtime,
      args,
      step: 'fetching the runtime',
      say,
    });
    say(`fetched the runtime in ${seconds(begun)}`);
  }
  const node =
    nodeChoice.kind === 'own'
      ? process.execPath
      : join(paths.runtime, 'node_modules', nodeChoice.name, nodeChoice.binary);
  const npm = npmChoice === 'own' && ownNpm !== undefined ? ownNpm.cli : privateNpm;
  return { node, npm };
}

/**
 * @param {ReturnType<typeof import('./paths.mjs').layout>} paths
 * @param {{ node: string, npm: string, say: (line: string) => void }} tools
 */
async function provideModules(paths, tools) {
  const lock = readJson(paths.lockfile);
  const machine = {
    platform: process.platform,
    arch: process.arch,
    musl: isMusl(),
    present: (/** @type {string} */ folder) => existsSync(join(paths.root, folder)),
  };
  if (lock !== undefined && treeMatches(lock, readJson(paths.installedLock), machine)) return;
  const count =
    typeof lock === 'object' && lock !== null && 'packages' in lock
      ? Object.keys(/** @type {object} */ (lock.packages)).length - 1
      : 0;
  tools.say(
    count > 0
      ? `installing what package-lock.json names, up to ${count} packages`
      : 'there is no package-lock.json: installing what package.json names',
  );
  const begun = Date.now();
  // A stamp of before would outlive an install that is interrupted half-way, where npm keeps unknown files.
  rmSync(paths.stamp, { force: true });
  const command = count > 0 ? 'ci' : 'install';
  await runNpm({
    node: tools.node,
    cli: tools.npm,
    cwd: paths.root,
    args: [command, '--ignore-scripts', '--include=dev', '--include=optional'],
    step: 'installing',
    say: tools.say,
  });
  tools.say(`installed in ${seconds(begun)}`);
}

/**
 * @param {string} folder
 * @param {string} name
 * @returns {string | undefined}
 */
function installedVersion(folder, name) {
  // npm's note of the tree is written last: before it, the package may be half there.
  const note = /** @type {{ packages?: Record<string, { version?: string }> } | undefined} */ (
    readJson(join(folder, 'node_modules/.package-lock.json'))
  );
  const entry = `node_modules/${name}`;
  return existsSync(join(folder, entry, 'package.json')) ? note?.packages?.[entry]?.version : undefined;
}

/**
 * @param {string} file
 * @returns {unknown} undefined: not there, or not JSON
 */
function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * @param {string} checkout
 * @param {() => void} write
 */
function guardWrites(checkout, write) {
  try {
    write();
  } catch (error) {
    const code = /** @type {NodeJS.ErrnoException} */ (error).code ?? '';
    if (code === 'ENOSPC' || code === 'EDQUOT') throw new SetupError('PB_SETUP_DISK', { detail: code, root: checkout });
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
      throw new SetupError('PB_SETUP_PERMISSION', { detail: code, root: checkout });
    throw error;
  }
}

/** Whether this machine's C library is musl (Alpine): the packaged Node is made for glibc. */
function isMusl() {
  if (process.platform !== 'linux') return false;
  const report = /** @type {{ header?: { glibcVersionRuntime?: string } }} */ (process.report.getReport());
  return report.header?.glibcVersionRuntime === undefined;
}

/** @param {number} begun */
function seconds(begun) {
  return `${((Date.now() - begun) / 1000).toFixed(1)} s`;
}
