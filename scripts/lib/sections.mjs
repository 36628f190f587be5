/** What `npm test` runs, in this order. */

/**
 * @typedef {{ kind: 'vitest', name: string, needsRenderer: boolean }} VitestSection
 * @typedef {{ kind: 'check', name: string, steps: readonly CheckStep[] }} CheckSection
 * @typedef {{ title: string, script: string, args: readonly string[] }} CheckStep `script`: a JavaScript file that Node runs, below the checkout
 */

/** @type {readonly CheckStep[]} */
export const staticSteps = [
  { title: 'types', script: 'node_modules/typescript/bin/tsc', args: ['-p', '.'] },
  {
    title: 'types of the protocol (neither Node nor DOM)',
    script: 'node_modules/typescript/bin/tsc',
    args: ['-p', 'gateway-core/protocol'],
  },
  { title: 'types of the renderer', script: 'node_modules/typescript/bin/tsc', args: ['-p', 'renderer'] },
  { title: 'types of the scripts', script: 'node_modules/typescript/bin/tsc', args: ['-p', 'scripts'] },
  { title: 'lint', script: 'node_modules/oxlint/bin/oxlint', args: ['--type-aware', '--deny-warnings'] },
  { title: 'format', script: 'node_modules/prettier/bin/prettier.cjs', args: ['--check', '--log-level=warn', '.'] },
  { title: 'docs are up to date', script: 'scripts/docs.mjs', args: ['--check'] },
];

/** @type {readonly (VitestSection | CheckSection)[]} */
export const sections = [
  { kind: 'check', name: 'static', steps: staticSteps },
  ...[
    'architecture',
    'docs',
    'unit',
    'peers',
    'contract',
    'conformance',
    'security',
    'cli',
    'e2e',
    'electron',
    'faults',
  ].map(
    (name) =>
      /** @type {VitestSection} */ ({ kind: 'vitest', name, needsRenderer: name === 'e2e' || name === 'electron' }),
  ),
];

/**
 * The sections to run: the named ones, else all; of them those that there is something of.
 *
 * @param {readonly string[]} names
 * @param {(path: string) => boolean} present whether a folder of the checkout is there
 * @returns {{ run: (VitestSection | CheckSection)[], unknown: string[] }}
 */
export function chooseSections(names, present) {
  const unknown = names.filter((name) => !sections.some((section) => section.name === name));
  const run = sections.filter(
    (section) =>
      (names.length === 0 || names.includes(section.name)) &&
      (section.kind === 'check' || section.name === 'unit' || present(`test/${section.name}`)),
  );
  return { run, unknown };
}
