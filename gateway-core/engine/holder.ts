import { readFile } from 'node:fs/promises';
import { CodedError } from './error.ts';

/** Who holds a data folder, as the file `lock` in it says. */
export interface Holder {
  readonly pid: number;
  /** When that process opened the folder, ms since the epoch. */
  readonly started: number;
  /** Its control address; empty until it listens. */
  readonly control: string;
  /** Linux: boot and clock tick the process was started at; they tell it from a later one with the same pid. */
  readonly process?: string;
}

/** What this process writes of itself. */
export async function ownIdentity(): Promise<Omit<Holder, 'control'>> {
  const identity = await processIdentity(process.pid);
  return { pid: process.pid, started: Date.now(), ...(identity === undefined ? {} : { process: identity }) };
}

/** The holder named in a lock file; undefined when there is none or it cannot be understood. */
export async function readHolder(path: string): Promise<Holder | undefined> {
  let read: unknown;
  try {
    read = JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
  if (typeof read !== 'object' || read === null) return undefined;
  const { pid, started, control, process: identity } = read as Record<string, unknown>;
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 0) return undefined;
  return {
    pid,
    started: typeof started === 'number' ? started : 0,
    control: typeof control === 'string' ? control : '',
    ...(typeof identity === 'string' ? { process: identity } : {}),
  };
}

/**
 * True when the very process that wrote this runs still. Only where the system tells when a
 * process was started (Linux): elsewhere a pid alone proves nothing.
 */
export async function runsStill(named: Holder): Promise<boolean> {
  return named.process !== undefined && named.process === (await processIdentity(named.pid));
}

/** PB_DATA_LOCKED with what is known about the holder. */
export function lockedBy(root: string, named: Holder | undefined): CodedError {
  const control = named === undefined || named.control === '' ? 'not known yet' : named.control;
  return new CodedError('PB_DATA_LOCKED', { path: root, pid: named?.pid ?? 'unknown', control });
}

async function processIdentity(pid: number): Promise<string | undefined> {
  if (process.platform !== 'linux') return undefined;
  try {
    const [stat, boot] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    ]);
    // Field 22, proc_pid_stat(5). The second one, the name in brackets, may itself hold spaces and brackets.
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return ticks === undefined ? undefined : `${boot.trim()}:${ticks}`;
  } catch {
    return undefined;
  }
}
