/** What an instance holds open: timers, sockets, servers, watchers, files, listeners on the process. */
import { AsyncLocalStorage, createHook } from 'node:async_hooks';
import { readdirSync, readlinkSync } from 'node:fs';

// Those whose `destroy` comes when they end; of a TLS connection, for one, it comes with garbage collection.
const KINDS: Readonly<Record<string, string>> = {
  Timeout: 'a timer',
  TCPSERVERWRAP: 'a TCP server',
  TCPWRAP: 'a TCP connection',
  PIPESERVERWRAP: 'a pipe server',
  PIPEWRAP: 'a pipe',
  UDPWRAP: 'a UDP socket',
  FSEVENTWRAP: 'a file watcher',
  STATWATCHER: 'a file watcher',
  SIGNALWRAP: 'a signal handler',
  PROCESSWRAP: 'a child process',
  WORKER: 'a worker thread',
};

/**
 * Counts only what is made inside of {@link run} and what follows from it, so that the test runner's
 * own timers don't count.
 */
export class ResourceWatch {
  private readonly context = new AsyncLocalStorage<ResourceWatch>();
  private readonly open = new Map<number, string>();
  private readonly files = openFiles();
  private readonly listeners = processListeners();
  private readonly hook = createHook({
    init: (id, type) => {
      const kind = KINDS[type];
      if (kind !== undefined && this.context.getStore() === this) this.open.set(id, `${kind}${madeAt()}`);
    },
    destroy: (id) => void this.open.delete(id),
  });

  constructor() {
    this.hook.enable();
  }

  run<T>(act: () => T): T {
    return this.context.run(this, act);
  }

  /** What is open now and was not at the beginning. */
  left(): string[] {
    const files = openFiles();
    const listeners = processListeners();
    return [
      ...this.open.values(),
      ...[...files]
        .filter(([path, count]) => count > (this.files.get(path) ?? 0))
        .map(([path]) => `the open file ${path}`),
      ...[...listeners]
        .filter(([event, count]) => count > (this.listeners.get(event) ?? 0))
        .map(([event]) => `a listener for '${event}' on process`),
    ];
  }

  end(): void {
    this.hook.disable();
  }
}

/** The first place in the stack that is neither Node nor these tests. */
function madeAt(): string {
  const lines = new Error().stack?.split('\n').slice(2) ?? [];
  const place = lines.find((line) => !line.includes('node:') && !line.includes('/testing/conformance/'));
  const at = place === undefined ? undefined : /([^/\\(]+:\d+):\d+\)?$/.exec(place)?.[1];
  return at === undefined ? '' : ` (made at ${at})`;
}

/** Regular files by path, how often each; empty where the system doesn't tell. */
function openFiles(): Map<string, number> {
  const found = new Map<string, number>();
  let names: string[];
  try {
    names = readdirSync('/proc/self/fd');
  } catch {
    return found;
  }
  for (const name of names) {
    try {
      const path = readlinkSync(`/proc/self/fd/${name}`);
      if (path.startsWith('/') && !/^\/(dev|proc|sys)\//.test(path)) found.set(path, (found.get(path) ?? 0) + 1);
    } catch {
      // Closed in between, such as the one that read the folder.
    }
  }
  return found;
}

function processListeners(): Map<string, number> {
  return new Map(process.eventNames().map((event) => [String(event), process.listenerCount(event)]));
}
