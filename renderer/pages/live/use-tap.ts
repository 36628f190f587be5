import { useMemo, useSyncExternalStore } from 'react';
import type { Client } from '../../../gateway-core/protocol/client.ts';
import { useClient } from '../../app/gateway.ts';
import { LiveTap, type TapParams, type TapView } from '../../live/tap.ts';

/** Holds a tap open for as long as someone listens. */
class TapSlot {
  #tap: LiveTap | undefined;
  readonly #client: Client;
  readonly #params: TapParams;

  constructor(client: Client, params: TapParams) {
    this.#client = client;
    this.#params = params;
  }

  snapshot = (): LiveTap | undefined => this.#tap;

  subscribe = (changed: () => void): (() => void) => {
    const tap = new LiveTap(this.#client, this.#params);
    this.#tap = tap;
    changed();
    return () => {
      tap.close();
      this.#tap = undefined;
    };
  };
}

/** The tap for these parameters; another one when they change or `round` does. Closed on the way out. */
export function useTap(params: TapParams, round: number): LiveTap | undefined {
  const client = useClient();
  const key = JSON.stringify([params, round]);
  const slot = useMemo(() => new TapSlot(client, (JSON.parse(key) as [TapParams, number])[0]), [client, key]);
  return useSyncExternalStore(slot.subscribe, slot.snapshot);
}

export function useTapView(tap: LiveTap): TapView {
  return useSyncExternalStore(tap.subscribe, tap.snapshot);
}
