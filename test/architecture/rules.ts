/**
 * Which runtime a file may use shows in its path. Each rule says which files it is about, and what they
 * must not import, with the reason that a reader of a red test gets.
 */

/** One import of one file. Relative ones are resolved to a path of the checkout, others stand as written. */
export interface Import {
  readonly from: string;
  readonly to: string;
  readonly relative: boolean;
  /** Erased before it runs: `import type`. */
  readonly typeOnly: boolean;
}

export interface Rule {
  readonly name: string;
  readonly reason: string;
  /** Whether the rule is about this file. */
  readonly about: (file: string) => boolean;
  readonly allows: (imported: Import) => boolean;
}

export interface Violation {
  readonly rule: string;
  readonly reason: string;
  readonly from: string;
  readonly to: string;
}

const within =
  (...folders: readonly string[]) =>
  (file: string): boolean =>
    folders.some((folder) => file.startsWith(`${folder}/`));

/** Tests, what they share (`test-peer.ts`, a plugin's `conformance.ts`), and measurements (`bench/`): none of it is shipped. */
export const isTest = (file: string): boolean =>
  /\.test\.tsx?$|(^|\/)test-[^/]*\.ts$|^plugins\/[^/]+\/conformance\.ts$|\/bench\//.test(file);
const isNode = (imported: Import): boolean => !imported.relative && imported.to.startsWith('node:');
const isPackage = (imported: Import, ...names: readonly string[]): boolean =>
  !imported.relative && names.some((name) => imported.to === name || imported.to.startsWith(`${name}/`));
const inside = (imported: Import, ...folders: readonly string[]): boolean =>
  imported.relative && within(...folders)(imported.to);

const PLUGIN_API = 'patchbay/plugin-api';
const TESTING = 'gateway-core/plugin-api/testing';

/** Folder of one plugin, `plugins/amqp1`. */
const pluginFolder = (file: string): string => file.split('/').slice(0, 2).join('/');

export const rules: readonly Rule[] = [
  {
    name: 'protocol and plugin-api stand alone',
    reason: 'Engine, renderer and every plugin share them: neither Node nor DOM nor a package, only each other.',
    about: (file) =>
      within('gateway-core/protocol', 'gateway-core/plugin-api')(file) && !within(TESTING)(file) && !isTest(file),
    allows: (imported) =>
      inside(imported, 'gateway-core/protocol', 'gateway-core/plugin-api') && !inside(imported, TESTING),
  },
  {
    name: 'the engine knows no window',
    reason: 'It runs headless, in a utility process and under `patchbay run` alike.',
    about: within('gateway-core'),
    allows: (imported) =>
      !isPackage(imported, 'electron', 'react', 'react-dom', '@mantine/core', '@mantine/hooks', 'zustand') &&
      !inside(imported, 'renderer', 'electron'),
  },
  {
    name: 'the engine knows no plugin by name',
    reason: 'Built-in plugins are found and loaded like any other; a test may use one as its subject.',
    about: (file) => within('gateway-core')(file) && !isTest(file),
    allows: (imported) => !inside(imported, 'plugins'),
  },
  {
    name: 'the product imports no test',
    reason: 'Tests are not shipped.',
    about: (file) => within('gateway-core', 'plugins', 'renderer', 'electron')(file) && !isTest(file),
    allows: (imported) => !inside(imported, 'test') && !(imported.relative && isTest(imported.to)),
  },
  {
    name: 'the renderer has no Node',
    reason: 'It runs in a sandboxed window and in a browser; of the engine it knows the protocol only.',
    about: (file) => within('renderer')(file) && !isTest(file) && file !== 'renderer/vite.config.ts',
    allows: (imported) =>
      !isNode(imported) &&
      !isPackage(imported, 'electron', 'patchbay') &&
      (!imported.relative || inside(imported, 'renderer', 'gateway-core/protocol')),
  },
  {
    name: 'electron values in the binding only',
    reason: 'What decides is tested in plain Node; Electron objects are passed in.',
    about: (file) =>
      within('electron')(file) &&
      !within('electron/binding')(file) &&
      !['electron/main.ts', 'electron/preload.ts', 'electron/engine-entry.ts'].includes(file),
    allows: (imported) => !isPackage(imported, 'electron') || imported.typeOnly,
  },
  {
    name: 'the shell binds nothing',
    reason: 'A shell file that imports the binding drags Electron into its tests.',
    about: within('electron/shell'),
    allows: (imported) => !inside(imported, 'electron/binding') || imported.typeOnly,
  },
  {
    name: 'a plugin uses the public API only',
    reason: 'Built-in plugins prove that it suffices: patchbay/plugin-api, their own folder, packages, Node.',
    about: (file) => within('plugins')(file) && !file.includes('/bench/'),
    allows: (imported) => {
      if (imported.relative)
        return (
          inside(imported, pluginFolder(imported.from)) ||
          (isTest(imported.from) && (inside(imported, 'test') || isTest(imported.to)))
        );
      if (isPackage(imported, 'electron')) return false;
      if (!isPackage(imported, 'patchbay')) return true;
      return imported.to === PLUGIN_API || (isTest(imported.from) && imported.to === `${PLUGIN_API}/testing`);
    },
  },
];

/** Every import that a rule forbids. */
export function violations(imports: readonly Import[], by: readonly Rule[] = rules): Violation[] {
  return imports.flatMap((imported) =>
    by
      .filter((rule) => rule.about(imported.from) && !rule.allows(imported))
      .map((rule) => ({ rule: rule.name, reason: rule.reason, from: imported.from, to: imported.to })),
  );
}

/**
 * Circles among the imports that remain at run time, each as the files along it; a file is in at most one.
 * Tarjan's strongly connected components.
 */
export function cycles(imports: readonly Import[]): string[][] {
  const next = new Map<string, string[]>();
  for (const { from, to, relative, typeOnly } of imports) {
    if (relative && !typeOnly) next.set(from, [...(next.get(from) ?? []), to]);
  }
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (file: string): void => {
    const mine = index.size;
    index.set(file, mine);
    low.set(file, mine);
    stack.push(file);
    for (const to of next.get(file) ?? []) {
      if (!index.has(to)) {
        visit(to);
        low.set(file, Math.min(low.get(file) ?? mine, low.get(to) ?? mine));
      } else if (stack.includes(to)) {
        low.set(file, Math.min(low.get(file) ?? mine, index.get(to) ?? mine));
      }
    }
    if (low.get(file) !== mine) return;
    const part = stack.splice(stack.indexOf(file));
    if (part.length > 1 || next.get(file)?.includes(file) === true) found.push(part.toSorted());
  };
  for (const file of next.keys()) if (!index.has(file)) visit(file);
  return found;
}
