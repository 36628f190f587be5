import { describe, expect, it } from 'vitest';
import { importsOf } from './read-imports.ts';
import { cycles, rules, violations } from './rules.ts';

const brokenBy = (file: string, code: string): string[] => violations(importsOf(file, code)).map(({ rule }) => rule);

describe('rules', () => {
  // What each rule must catch. A rule that is loosened, or an import form that is no longer read, turns one red.
  it.each([
    ['gateway-core/protocol/a.ts', "import { readFileSync } from 'node:fs';", 'protocol and plugin-api stand alone'],
    ['gateway-core/protocol/a.ts', "import Ajv from 'ajv';", 'protocol and plugin-api stand alone'],
    ['gateway-core/protocol/a.ts', "export * from '../engine/error.ts';", 'protocol and plugin-api stand alone'],
    [
      'gateway-core/plugin-api/a.ts',
      "import type { Log } from '../engine/log.ts';",
      'protocol and plugin-api stand alone',
    ],
    ['gateway-core/plugin-api/a.ts', "export { x } from './testing/index.ts';", 'protocol and plugin-api stand alone'],
    ['gateway-core/engine/a.ts', "import { app } from 'electron';", 'the engine knows no window'],
    ['gateway-core/engine/a.ts', "const x = await import('electron/main');", 'the engine knows no window'],
    ['gateway-core/engine/a.test.ts', "import { useState } from 'react';", 'the engine knows no window'],
    ['gateway-core/control/a.ts', "import { x } from '../../renderer/app/x.ts';", 'the engine knows no window'],
    [
      'gateway-core/engine/a.ts',
      "import filter from '../../plugins/filter/handler.ts';",
      'the engine knows no plugin by name',
    ],
    ['gateway-core/engine/a.ts', "import { x } from '../../test/peers/x.ts';", 'the product imports no test'],
    ['plugins/noop/a.ts', "import { x } from './a.test.ts';", 'the product imports no test'],
    ['renderer/app/a.tsx', "import fs from 'node:fs';", 'the renderer has no Node'],
    ['renderer/app/a.tsx', "import { x } from '../../gateway-core/engine/error.ts';", 'the renderer has no Node'],
    ['renderer/app/a.tsx', "import { x } from '../../gateway-core/plugin-api/index.ts';", 'the renderer has no Node'],
    ['renderer/app/a.tsx', "import { ipcRenderer } from 'electron';", 'the renderer has no Node'],
    ['electron/shell/a.ts', "import { app } from 'electron';", 'electron values in the binding only'],
    ['electron/shell/a.ts', "import { type App, app } from 'electron';", 'electron values in the binding only'],
    ['electron/shell/a.ts', "import { x } from '../binding/window.ts';", 'the shell binds nothing'],
    ['plugins/noop/source.ts', "import { x } from '../filter/handler.ts';", 'a plugin uses the public API only'],
    [
      'plugins/noop/source.ts',
      "import { x } from '../../gateway-core/plugin-api/index.ts';",
      'a plugin uses the public API only',
    ],
    ['plugins/noop/source.ts', "import { x } from 'patchbay/plugin-api/testing';", 'a plugin uses the public API only'],
    [
      'plugins/noop/source.test.ts',
      "import { x } from '../../gateway-core/flow/pack.ts';",
      'a plugin uses the public API only',
    ],
    ['plugins/noop/source.ts', "import { app } from 'electron';", 'a plugin uses the public API only'],
    ['plugins/noop/source.ts', "import { x } from 'patchbay/package.json';", 'a plugin uses the public API only'],
  ])('%s: %s', (file, code, rule) => {
    expect(brokenBy(file, code)).toContain(rule);
  });

  it('are each caught out above', () => {
    expect(new Set(rules.map(({ name }) => name)).size).toBe(rules.length);
    for (const { reason } of rules) expect(reason).toMatch(/^\p{Lu}.{20,}\.$/u);
  });

  it.each([
    ['gateway-core/protocol/a.ts', "import { x } from './b.ts';\nimport type { y } from '../plugin-api/index.ts';"],
    ['gateway-core/protocol/a.test.ts', "import { describe } from 'vitest';"],
    ['gateway-core/plugin-api/testing/index.ts', "import { test } from 'node:test';"],
    ['gateway-core/engine/a.ts', "import { x } from 'node:fs';\nimport pino from 'pino';"],
    [
      'renderer/app/a.tsx',
      "import { x } from '../../gateway-core/protocol/client.ts';\nimport React from 'react';\nimport './a.css';",
    ],
    [
      'electron/shell/a.ts',
      "import type { App } from 'electron';\nimport { type Session, type WebContents } from 'electron';",
    ],
    ['electron/binding/a.ts', "import { app } from 'electron';"],
    ['electron/main.ts', "import { app } from 'electron';"],
    [
      'plugins/noop/source.ts',
      "import { x } from 'patchbay/plugin-api';\nimport { y } from './y.ts';\nimport rhea from 'rhea';\nimport 'node:net';",
    ],
    ['plugins/noop/source.test.ts', "import { x } from 'patchbay/plugin-api/testing';"],
    [
      'gateway-core/engine/a.ts',
      "/** import { app } from 'electron'; */\n// import { app } from 'electron';\nconst url = 'https://x'; ",
    ],
  ])('leave alone what is right in %s', (file, code) => {
    expect(brokenBy(file, code)).toEqual([]);
  });
});

describe('reading imports', () => {
  it.each([
    ["import a, {\n  b,\n  type C,\n} from './x.ts';", 'f/x.ts', false],
    ["import * as a from '../x.ts';", 'x.ts', false],
    ["import type A from './x.ts';", 'f/x.ts', true],
    ["export type { A } from './x.ts';", 'f/x.ts', true],
    ["export { a } from './x.ts';", 'f/x.ts', false],
    ["import { type A, type B } from './x.ts';", 'f/x.ts', true],
    ["import type from './x.ts';", 'f/x.ts', false],
    ["import './x.ts';", 'f/x.ts', false],
    ["const x = await import('./x.ts');", 'f/x.ts', false],
    ["import x from './x.json' with { type: 'json' };", 'f/x.json', false],
    ['import { a } from "./x.ts";', 'f/x.ts', false],
  ])('%s', (code, to, typeOnly) => {
    expect(importsOf('f/a.ts', code)).toEqual([{ from: 'f/a.ts', to, relative: true, typeOnly }]);
  });

  it('finds a circle of any length, and none where types only close it', () => {
    const edge = (from: string, to: string, typeOnly = false) => ({ from, to, relative: true, typeOnly });
    expect(cycles([edge('a', 'b'), edge('b', 'c'), edge('c', 'a'), edge('c', 'd')])).toEqual([['a', 'b', 'c']]);
    expect(cycles([edge('a', 'a')])).toEqual([['a']]);
    expect(cycles([edge('a', 'b'), edge('b', 'a', true)])).toEqual([]);
    expect(cycles([edge('a', 'b'), edge('b', 'c'), edge('a', 'c')])).toEqual([]);
  });
});
