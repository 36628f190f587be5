/** Selection and filters live in the URL: back and forward work, a link can be shared. */
import { useCallback } from 'react';
import { useLocation, useSearch } from 'wouter';

/** Applies a change to a query string; undefined and '' remove a key. The order of the others stays. */
export function patchQuery(search: string, patch: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams(search);
  for (const [key, value] of Object.entries(patch)) {
    if (value === undefined || value === '') query.delete(key);
    else query.set(key, value);
  }
  return query.toString();
}

/** `href('/live', { at: 'decode' })` → `/live?at=decode`. */
export function href(path: string, query: Readonly<Record<string, string | undefined>> = {}): string {
  const search = patchQuery('', query);
  return search === '' ? path : `${path}?${search}`;
}

export interface UrlState {
  /** The value of a key; '' when it is not there. */
  readonly get: (key: string) => string;
  /** `replace`: no new entry in the history, for what changes as one types. */
  readonly set: (patch: Readonly<Record<string, string | undefined>>, options?: { readonly replace?: boolean }) => void;
}

export function useUrlState(): UrlState {
  const search = useSearch();
  const [path, navigate] = useLocation();
  const get = useCallback((key: string) => new URLSearchParams(search).get(key) ?? '', [search]);
  const set = useCallback(
    (patch: Readonly<Record<string, string | undefined>>, options: { readonly replace?: boolean } = {}) => {
      // The address bar, not the render's: two changes in one tick must not undo each other.
      const next = patchQuery(window.location.search, patch);
      if (next === patchQuery(window.location.search, {})) return;
      navigate(next === '' ? path : `${path}?${next}`, { replace: options.replace ?? false });
    },
    [path, navigate],
  );
  return { get, set };
}
