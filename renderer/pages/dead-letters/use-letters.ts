/** The letters of a filter, newest first, page by page. */
import { useCallback, useEffect, useRef, useState } from 'react';
import type { LetterFilter, LetterRow } from '../../../gateway-core/protocol/dead-letters.ts';
import type { WireError } from '../../../gateway-core/protocol/frames.ts';
import { useClient, useConnection } from '../../app/gateway.ts';
import { asWireError } from '../../app/wire-errors.ts';

const PAGE = 200;
/** The most one call gives: what is loaded beyond is loaded again as one scrolls. */
const MOST = 1000;

export interface Letters {
  /** Those of the filter before until the answer is there; undefined: nothing was loaded yet. */
  readonly rows: readonly LetterRow[] | undefined;
  /** There are no older ones. */
  readonly complete: boolean;
  readonly loadingMore: boolean;
  readonly error: WireError | undefined;
  readonly more: () => void;
  readonly reload: () => void;
}

interface Loaded {
  readonly key: string;
  readonly rows: readonly LetterRow[];
  readonly complete: boolean;
}

/** Loads anew when the filter or `round` changes; what is shown stays until the answer is there. */
export function useLetters(filter: LetterFilter, round: number): Letters {
  const client = useClient();
  const connected = useConnection().phase === 'connected';
  const key = JSON.stringify(filter);
  const [loaded, setLoaded] = useState<Loaded>();
  const [error, setError] = useState<WireError>();
  const [loadingMore, setLoadingMore] = useState(false);
  const [again, setAgain] = useState(0);
  const current = useRef({ filter, key, loaded });
  useEffect(() => {
    current.current = { filter, key, loaded };
  });

  useEffect(() => {
    if (!connected) return;
    const abort = new AbortController();
    const before = current.current.loaded;
    const limit = before?.key === key ? Math.min(MOST, Math.max(PAGE, before.rows.length)) : PAGE;
    client.call('deadletters.list', { filter: current.current.filter, limit }, { signal: abort.signal }).then(
      ({ letters }) => {
        if (abort.signal.aborted) return;
        setError(undefined);
        setLoaded({ key, rows: letters, complete: letters.length < limit });
      },
      (thrown: unknown) => {
        if (!abort.signal.aborted) setError(asWireError(thrown));
      },
    );
    return () => abort.abort();
  }, [client, connected, key, round, again]);

  const busy = useRef(false);
  const more = useCallback(() => {
    const { loaded: now, filter: by, key: wanted } = current.current;
    const last = now?.rows.at(-1);
    if (busy.current || now?.key !== wanted || now.complete || last === undefined) return;
    busy.current = true;
    setLoadingMore(true);
    client
      .call('deadletters.list', { filter: by, before: last.id, limit: PAGE })
      .then(
        ({ letters }) =>
          setLoaded((known) =>
            known === now
              ? { key: known.key, rows: [...known.rows, ...letters], complete: letters.length < PAGE }
              : known,
          ),
        (thrown: unknown) => setError(asWireError(thrown)),
      )
      .finally(() => {
        busy.current = false;
        setLoadingMore(false);
      });
  }, [client]);

  return {
    rows: loaded?.rows,
    complete: loaded?.complete ?? false,
    loadingMore,
    error: connected ? error : undefined,
    more,
    reload: useCallback(() => setAgain((n) => n + 1), []),
  };
}
