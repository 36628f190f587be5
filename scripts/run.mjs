#!/usr/bin/env node
/**
 * `run.mjs ENTRY ARGS…`: sets up, then runs one thing of the checkout with its own Node: a file of ours, or a
 * tool by its name.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { layout, root } from './lib/paths.mjs';
import { NODE_FLAGS, becomeNode, engineEnvironment } from './lib/run-node.mjs';
import { ensureSetup } from './setup.mjs';

/** @type {Readonly<Record<string, string>>} */
const tools = {
  prettier: 'node_modules/prettier/bin/prettier.cjs',
  oxlint: 'node_modules/oxlint/bin/oxlint',
  tsc: 'node_modules/typescript/bin/tsc',
  vitest: 'node_modules/vitest/vitest.mjs',
};

const [entry = '', ...args] = process.argv.slice(2);
try {
  const node = await ensureSetup();
  const file = join(root, tools[entry] ?? entry);
  if (existsSync(file)) {
    process.chdir(root);
    becomeNode(node, [...NODE_FLAGS, file, ...args], engineEnvironment(process.env, layout(root).cache));
  } else {
    process.stderr.write(`there is no ${entry} in this checkout\n`);
    process.exitCode = 2;
  }
} catch (error) {
  const { describeFailure } = await import('./lib/setup-errors.mjs');
  process.stderr.write(`${describeFailure(error)}\n`);
  process.exitCode = 1;
}
