/** What of the machine a test of this folder needs. Without it the test is skipped and says so in its name; in CI a skip fails. */
import { spawnSync } from 'node:child_process';

const has = (command: string, ...args: string[]): boolean => spawnSync(command, args, { stdio: 'ignore' }).status === 0;

const CHECKS = {
  strace: () => has('strace', '-o', '/dev/null', 'true'),
  'root and mount': () => process.getuid?.() === 0 && has('unshare', '-m', 'true'),
  'root and network namespaces': () => process.getuid?.() === 0 && has('unshare', '-n', 'ip', 'link'),
  libfaketime: () => has('faketime', '-f', '+0', 'true'),
} as const;

export type Need = keyof typeof CHECKS;

/** Empty when all is there; else ` (skipped: needs …)`, to be put behind the name of the test. */
export function lacking(...needs: readonly Need[]): string {
  const missing = needs.filter((need) => !CHECKS[need]());
  return missing.length === 0 ? '' : ` (skipped: needs ${missing.join(', ')})`;
}
