/**
 * What an instance opened and did not close. Node says when a socket, a server or a datagram
 * socket is made; the life in which that happens owns it. Nothing of this is on a message's way.
 * Not seen: plain timeouts, files, and what was made before the instance or by a pool that several share.
 */
import { subscribe } from 'node:diagnostics_channel';
import type { Socket as DatagramSocket } from 'node:dgram';
import { syncBuiltinESMExports } from 'node:module';
import type { Server, Socket } from 'node:net';
import timers from 'node:timers';
import { currentLife } from './instance-life.ts';

interface Holding {
  readonly kind: 'listening port' | 'connection' | 'UDP socket' | 'interval';
  isOpen(): boolean;
  /** Ports are closed for it: they would keep its next life from starting. */
  release?(): void;
}

/** A library's pool may keep connections for some seconds; what is left after this is forgotten. */
const LOOK_AFTER_MS = 10_000;
const PRUNE_ABOVE = 64;

/** What one life holds open. */
export class Holdings {
  private readonly all = new Set<Holding>();

  add(holding: Holding): void {
    if (this.all.size >= PRUNE_ABOVE) for (const each of this.all) if (!each.isOpen()) this.all.delete(each);
    this.all.add(holding);
  }

  /** What is still open, as `2 connections, 1 interval`; empty: nothing. */
  left(): string {
    const counts = new Map<string, number>();
    for (const each of this.all) if (each.isOpen()) counts.set(each.kind, (counts.get(each.kind) ?? 0) + 1);
    return [...counts].map(([kind, count]) => `${count} ${kind}${count === 1 ? '' : 's'}`).join(', ');
  }

  /** Closes ports; gives what they were, as `left`. */
  releasePorts(): string {
    const ports = new Holdings();
    for (const each of this.all) if (each.release !== undefined && each.isOpen()) ports.add(each);
    const left = ports.left();
    for (const each of ports.all) {
      each.release?.();
      this.all.delete(each);
    }
    return left;
  }
}

/** Per instance of this thread: lives that ended and have not been looked at. */
const ended = new Map<string, Set<Holdings>>();

/** The life is over: ports go when the next one begins, or with everything that is left after a while. */
export function lifeEnded(instance: string, holdings: Holdings, onLeft: (left: string) => void): void {
  const lives = ended.get(instance) ?? new Set();
  ended.set(instance, lives.add(holdings));
  setTimeout(() => {
    lives.delete(holdings);
    if (lives.size === 0 && ended.get(instance) === lives) ended.delete(instance);
    const left = holdings.left();
    holdings.releasePorts();
    if (left !== '') onLeft(left);
  }, LOOK_AFTER_MS).unref();
}

/** Before the next life: ports that earlier ones left open are closed. Gives what there was. */
export function releaseLeftovers(instance: string): string {
  const left = [...(ended.get(instance) ?? [])].map((holdings) => holdings.releasePorts());
  return left.filter((text) => text !== '').join(', ');
}

/** Begins to note who makes what, in this thread. Before any plugin is loaded. */
export function watchHoldings(): void {
  const hold = (holding: Holding): void => currentLife()?.holdings.add(holding);
  const connection = (message: unknown): void => {
    const { socket } = message as { socket: Socket };
    hold({ kind: 'connection', isOpen: () => !socket.destroyed });
  };
  subscribe('net.client.socket', connection);
  subscribe('net.server.socket', connection);
  subscribe('tracing:net.server.listen:asyncEnd', (message) => {
    const { server } = message as { server: Server & { closeAllConnections?: () => void } };
    const release = (): void => {
      server.close();
      server.closeAllConnections?.();
    };
    hold({ kind: 'listening port', isOpen: () => server.listening, release });
  });
  subscribe('udp.socket', (message) => {
    const { socket } = message as { socket: DatagramSocket };
    let open = true;
    socket.once('close', () => (open = false));
    hold({ kind: 'UDP socket', isOpen: () => open, release: () => socket.close() });
  });
  const { setInterval: plain } = globalThis;
  const watched = ((...args: Parameters<typeof plain>) => {
    const timer = plain(...args);
    // A weak reference: what holds a cleared interval's closure must not be its owner's list.
    const weak = new WeakRef(timer);
    hold({ kind: 'interval', isOpen: () => isRunning(weak.deref()) });
    return timer;
  }) as typeof plain;
  Object.assign(watched, plain);
  globalThis.setInterval = watched;
  timers.setInterval = watched as typeof timers.setInterval;
  syncBuiltinESMExports();
}

function isRunning(timer: NodeJS.Timeout | undefined): boolean {
  return timer !== undefined && (timer as unknown as { _destroyed?: boolean })._destroyed !== true;
}
