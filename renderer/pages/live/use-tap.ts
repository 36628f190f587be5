import { useEffect, useState, useSyncExternalStore } from 'react';
import { useClient } from '../../app/gateway.ts';
import { LiveTap, type TapParams, type TapView } from '../../live/tap.ts';

/** The tap for these parameters; another one when they change or `round` does. Closed on the way out. */
export function useTap(params: TapParams, round: number): LiveTap | undefined {
  const client = useClient();
  const key = JSON.stringify([params, round]);
  const [tap, setTap] = useState<{ key: string; tap: LiveTap }>();
  useEffect(() => {
    const [given] = JSON.parse(key) as [TapParams, number];
    const opened = new LiveTap(client, given);
    setTap({ key, tap: opened });
    return () => opened.close();
  }, [client, key]);
  return tap?.key === key ? tap.tap : undefined;
}

export function useTapView(tap: LiveTap): TapView {
  return useSyncExternalStore(tap.subscribe, tap.snapshot);
}
