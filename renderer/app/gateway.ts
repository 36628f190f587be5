/** The engine for components: hooks over the one link. */
import { createContext, useCallback, useContext, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import type { CallName, Calls } from '../../gateway-core/protocol/contract.ts';
import type { LetterState } from '../../gateway-core/protocol/dead-letters.ts';
import type { WireError } from '../../gateway-core/protocol/frames.ts';
import type { StatusReport, Topology } from '../../gateway-core/protocol/model.ts';
import type { Client } from '../../gateway-core/protocol/client.ts';
import { ConnectionStore, type Connection } from './connection.ts';
import { SharedStream, type Latest } from './shared-stream.ts';
import { asWireError } from './wire-errors.ts';

export interface Gateway {
  readonly client: Client;
  readonly connection: ConnectionStore;
  readonly status: SharedStream<'status'>;
  readonly topology: SharedStream<'topology'>;
  readonly deadLetters: SharedStream<'deadletters'>;
}

export function createGatewayState(client: Client): Gateway {
  return {
    client,
    connection: new ConnectionStore(client),
    status: new SharedStream(client, 'status'),
    topology: new SharedStream(client, 'topology'),
    deadLetters: new SharedStream(client, 'deadletters'),
  };
}

export const GatewayContext = createContext<Gateway | undefined>(undefined);

function useGateway(): Gateway {
  const gateway = useContext(GatewayContext);
  if (gateway === undefined) throw new Error('Outside of GatewayContext');
  return gateway;
}

/** The protocol client itself, for what the hooks below do not cover. */
export function useClient(): Client {
  return useGateway().client;
}

export function useConnection(): Connection {
  const { connection } = useGateway();
  return useSyncExternalStore(connection.subscribe, connection.snapshot);
}

/** True when changes are possible: connected, and not with a read-only token. */
export function useMayChange(): boolean {
  const connection = useConnection();
  return connection.phase === 'connected' && connection.access === 'full';
}

/** The status report, a new one every second. Rerenders with each. */
export function useStatus(): Latest<StatusReport> {
  const { status } = useGateway();
  return useSyncExternalStore(status.subscribe, status.snapshot);
}

/** One value out of the status report; rerenders only when it changes (`Object.is`). */
export function useStatusValue<T>(select: (report: StatusReport | undefined) => T): T {
  const { status } = useGateway();
  return useSyncExternalStore(status.subscribe, () => select(status.snapshot().value));
}

/** Which instances there are and what feeds what; a new one whenever it changed. */
export function useTopology(): Latest<Topology> {
  const { topology } = useGateway();
  return useSyncExternalStore(topology.subscribe, topology.snapshot);
}

/** How many dead letters there are and what is being retried; a new one whenever it changed. */
export function useDeadLetters(): Latest<LetterState> {
  const { deadLetters } = useGateway();
  return useSyncExternalStore(deadLetters.subscribe, deadLetters.snapshot);
}

/** One value out of it; rerenders only when that changes (`Object.is`). */
export function useDeadLettersValue<T>(select: (state: LetterState | undefined) => T): T {
  const { deadLetters } = useGateway();
  return useSyncExternalStore(deadLetters.subscribe, () => select(deadLetters.snapshot().value));
}

/** Tells when `plugins.list` or `config.get` would answer anew, and after each reconnect. */
export function useChanges(what: 'plugins' | 'config', listener: () => void): void {
  const client = useClient();
  const current = useRef(listener);
  useEffect(() => {
    current.current = listener;
  });
  useEffect(() => {
    const subscription = client.subscribe(
      'changes',
      {},
      (item) => {
        if (item.what === what) current.current();
      },
      {
        onState: (state) => {
          if (state.name === 'open' && state.restored) current.current();
        },
      },
    );
    return () => subscription.close();
  }, [client, what]);
}

export interface Loaded<T> {
  /** The last good answer; kept while loading anew and when the connection breaks. */
  readonly value: T | undefined;
  readonly loading: boolean;
  readonly error: WireError | undefined;
  /** The engine is gone; `value`, if any, is from `at`. */
  readonly stale: boolean;
  readonly at: number;
  readonly reload: () => void;
}

/**
 * Calls once, again when name or params change (compared as JSON), again after a reconnect.
 * `undefined` for params: not yet.
 */
export function useCall<Name extends CallName>(
  name: Name,
  params: Calls[Name]['params'] | undefined,
): Loaded<Calls[Name]['result']> {
  const client = useClient();
  const connection = useConnection();
  const connected = connection.phase === 'connected';
  const key = params === undefined ? undefined : `${name} ${JSON.stringify(params)}`;
  const [round, setRound] = useState(0);
  const [answer, setAnswer] = useState<{
    key: string;
    value: Calls[Name]['result'] | undefined;
    error: WireError | undefined;
    at: number;
  }>();
  const [loading, setLoading] = useState(false);
  const latestParams = useRef(params);
  useEffect(() => {
    latestParams.current = params;
  });

  useEffect(() => {
    const given = latestParams.current;
    if (key === undefined || given === undefined || !connected) return;
    const abort = new AbortController();
    setLoading(true);
    client.call(name, given, { signal: abort.signal }).then(
      (value) => {
        if (abort.signal.aborted) return;
        setAnswer({ key, value, error: undefined, at: Date.now() });
        setLoading(false);
      },
      (error: unknown) => {
        if (abort.signal.aborted) return;
        setAnswer((previous) => ({
          key,
          value: previous?.key === key ? previous.value : undefined,
          error: asWireError(error),
          at: previous?.at ?? Date.now(),
        }));
        setLoading(false);
      },
    );
    return () => abort.abort();
  }, [client, name, key, connected, round]);

  const mine = answer !== undefined && answer.key === key ? answer : undefined;
  const reload = useCallback(() => setRound((n) => n + 1), []);
  return {
    value: mine?.value,
    loading: key !== undefined && (loading || mine === undefined),
    error: connected ? mine?.error : undefined,
    stale: !connected,
    at: mine?.at ?? 0,
    reload,
  };
}

export interface Action<Name extends CallName> {
  /** Resolves to the result, or to undefined when it failed: the error is then in `error`. */
  readonly run: (params: Calls[Name]['params']) => Promise<Calls[Name]['result'] | undefined>;
  readonly pending: boolean;
  readonly error: WireError | undefined;
  readonly clear: () => void;
}

/** A call made by a button. */
export function useAction<Name extends CallName>(name: Name): Action<Name> {
  const client = useClient();
  const [pending, setPending] = useState(false);
  const [error, setError] = useState<WireError>();
  const run = useCallback(
    async (params: Calls[Name]['params']) => {
      setPending(true);
      setError(undefined);
      try {
        return await client.call(name, params);
      } catch (thrown) {
        setError(asWireError(thrown));
        return undefined;
      } finally {
        setPending(false);
      }
    },
    [client, name],
  );
  const clear = useCallback(() => setError(undefined), []);
  return { run, pending, error, clear };
}
