import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../../gateway-core/cli/main.ts', import.meta.url));

it('ends quietly when nobody reads its output any more, as with `| head`', async () => {
  const command = spawn(process.execPath, [MAIN, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
  // Before it can have written anything.
  command.stdout.destroy();
  const [stderr, [status]] = await Promise.all([text(command.stderr), once(command, 'exit')]);
  expect({ status: status as unknown, stderr }).toEqual({ status: 0, stderr: '' });
});
