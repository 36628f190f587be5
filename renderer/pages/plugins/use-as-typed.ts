import { useEffect, useRef, useState } from 'react';
import type { CallName, Calls } from '../../../gateway-core/protocol/contract.ts';
import type { WireError } from '../../../gateway-core/protocol/frames.ts';
import { useClient, useConnection } from '../../app/gateway.ts';
import { asWireError } from '../../app/wire-errors.ts';

export interface AsTyped<T> {
  /** The last answer; kept while the next is awaited, so that nothing flickers. */
  readonly value: T | undefined;
  readonly error: WireError | undefined;
  /** True when `value` or `error` is of the newest parameters. */
  readonly settled: boolean;
}

/**
 * Asks the engine once typing has rested for `delay` ms. Only the newest question counts: an
 * older answer that comes late is dropped. `undefined` for params: nothing to ask.
 */
export function useAsTyped<Name extends CallName>(
  name: Name,
  params: Calls[Name]['params'] | undefined,
  delay: number,
): AsTyped<Calls[Name]['result']> {
  const client = useClient();
  const connected = useConnection().phase === 'connected';
  const key = params === undefined ? undefined : JSON.stringify(params);
  const latest = useRef(params);
  const [answer, setAnswer] = useState<{
    readonly key: string;
    readonly value: Calls[Name]['result'] | undefined;
    readonly error: WireError | undefined;
  }>();
  useEffect(() => {
    latest.current = params;
  });
  useEffect(() => {
    const abort = new AbortController();
    if (key === undefined || !connected) return;
    const timer = setTimeout(() => {
      const given = latest.current;
      if (given === undefined) return;
      client.call(name, given, { signal: abort.signal }).then(
        (value) => {
          if (!abort.signal.aborted) setAnswer({ key, value, error: undefined });
        },
        (error: unknown) => {
          if (!abort.signal.aborted) setAnswer({ key, value: undefined, error: asWireError(error) });
        },
      );
    }, delay);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [client, name, key, connected, delay]);
  if (key === undefined) return { value: undefined, error: undefined, settled: true };
  return { value: answer?.value, error: answer?.error, settled: answer?.key === key };
}
