#!/usr/bin/env node
/** The command line in a checkout: sets up if need be (on standard error only), then is `gateway-core/cli/main.ts`. */
import { join } from 'node:path';
import { layout, root } from './lib/paths.mjs';
import { NODE_FLAGS, becomeNode, engineEnvironment } from './lib/run-node.mjs';
import { ensureSetup } from './setup.mjs';

try {
  const node = await ensureSetup();
  const args = [...NODE_FLAGS, join(root, 'gateway-core/cli/main.ts'), ...process.argv.slice(2)];
  becomeNode(node, args, engineEnvironment(process.env, layout(root).cache));
} catch (error) {
  const { describeFailure } = await import('./lib/setup-errors.mjs');
  process.stderr.write(`${describeFailure(error)}\n`);
  process.exitCode = 1;
}
