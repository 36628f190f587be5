/** What was refused: by cause and instance first, then one by one; looked at, corrected, sent on or discarded. */
import { Button } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconMailCheck, IconSearch } from '@tabler/icons-react';
import { useEffect, useMemo, useRef, useState } from 'react';
import type {
  LetterFilter,
  LetterRow,
  LetterSelection,
  LetterState,
} from '../../../gateway-core/protocol/dead-letters.ts';
import { bytes, count, span } from '../../app/format.ts';
import { useCall, useDeadLetters } from '../../app/gateway.ts';
import { texts } from '../../app/texts.ts';
import { useUrlState } from '../../app/url-state.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Loading } from '../../components/loading.tsx';
import { Actions } from './actions.tsx';
import { Causes } from './causes.tsx';
import { FilterBar } from './filter-bar.tsx';
import { FILTER_KEYS, isFiltered, readFilter, toLetterFilter, withoutCause, type UrlFilter } from './filters.ts';
import { Jobs } from './jobs.tsx';
import { LetterDetailView } from './letter-detail.tsx';
import { LetterList } from './letter-list.tsx';
import { useLetters } from './use-letters.ts';
import styles from './dead-letters.module.css';

const t = texts.deadLetters;

export default function DeadLettersPage() {
  const state = useDeadLetters();
  if (state.value === undefined) return state.error === undefined ? <Loading /> : <ErrorPanel error={state.error} />;
  return <Letters state={state.value} stale={state.stale} />;
}

/** Rises at most once a second while letters come and go: a retry of thousands must not load the list thousands of times. */
function useRound(changes: number): number {
  const [round, setRound] = useState(0);
  const last = useRef({ changes, at: 0 });
  useEffect(() => {
    if (last.current.changes === changes) return;
    const wait = Math.max(0, last.current.at + 1000 - Date.now());
    const timer = setTimeout(() => {
      last.current = { changes, at: Date.now() };
      setRound((n) => n + 1);
    }, wait);
    return () => clearTimeout(timer);
  }, [changes]);
  return round;
}

/** "The last hour" goes on with the clock, minute by minute. */
function useFilters(filter: UrlFilter): { readonly chosen: LetterFilter; readonly around: LetterFilter } {
  const { instance, pipeline, code, since } = filter;
  // A search through all causes is not for every letter that is typed.
  const [text] = useDebouncedValue(filter.text, 300);
  const [minute, setMinute] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setMinute(Date.now()), 60_000);
    return () => clearInterval(timer);
  }, []);
  const now = since === '' ? 0 : minute;
  return useMemo(() => {
    const given = { instance, pipeline, code, since, text };
    return { chosen: toLetterFilter(given, now), around: toLetterFilter(withoutCause(given), now) };
  }, [instance, pipeline, code, since, text, now]);
}

/** Of the selected, those that are loaded or older than all that are: the loaded ones have no gaps but what is gone. */
function stillThere(ids: ReadonlySet<number>, rows: readonly LetterRow[]): ReadonlySet<number> {
  const present = new Set(rows.map(({ id }) => id));
  const oldest = rows.at(-1)?.id ?? 0;
  return new Set([...ids].filter((id) => present.has(id) || id < oldest));
}

function Letters({ state, stale }: { state: LetterState; stale: boolean }) {
  const url = useUrlState();
  const filter = readFilter(url.get);
  const { chosen, around } = useFilters(filter);
  const round = useRound(state.changes);
  const letters = useLetters(chosen, round);
  const summary = useCall('deadletters.summary', { filter: chosen });
  const causes = useCall('deadletters.summary', { filter: around });
  // The clock alone makes no other filter.
  const filterKey = JSON.stringify({ ...chosen, from: undefined });
  const [choice, setChoice] = useState<{ key: string; ids: ReadonlySet<number> }>({ key: '', ids: new Set() });
  const setPicked = (ids: ReadonlySet<number>): void => setChoice({ key: filterKey, ids });
  const { reload } = summary;
  const { reload: reloadCauses } = causes;
  useEffect(() => {
    if (round === 0) return;
    reload();
    reloadCauses();
  }, [round, reload, reloadCauses]);

  // Another filter, another selection; and what was retried or discarded meanwhile is not selected any more.
  const { rows } = letters;
  const picked = useMemo(
    () => stillThere(choice.key === filterKey ? choice.ids : new Set(), rows ?? []),
    [choice, filterKey, rows],
  );
  const chosenIds = [...picked];

  const error = letters.error ?? summary.error;
  const total = summary.value?.count ?? 0;
  const selection: LetterSelection | undefined =
    chosenIds.length > 0
      ? { ids: chosenIds }
      : summary.value === undefined
        ? undefined
        : { filter: { ...chosen, upTo: summary.value.newest } };
  const open = Number(url.get('letter'));
  const filtered = isFiltered(filter);
  const reset = (): void => url.set(Object.fromEntries(FILTER_KEYS.map((key) => [key, undefined])));

  return (
    <div className={styles.page} data-stale={stale}>
      <header className={styles.head}>
        <h1>{t.title}</h1>
        <span className={styles.dim} role="status">
          {filtered && summary.value !== undefined
            ? t.found(count(total), count(state.count))
            : t.kept(count(summary.value?.count ?? state.count), bytes(summary.value?.bytes ?? state.bytes))}
        </span>
        <span className={styles.spring} />
        {selection !== undefined && (
          <Actions
            selection={selection}
            number={chosenIds.length > 0 ? chosenIds.length : total}
            groups={summary.value?.groups ?? []}
            picked={chosenIds.length > 0}
            clear={() => setPicked(new Set())}
          />
        )}
      </header>
      <Jobs jobs={state.jobs} />
      {(state.count > 0 || filtered) && <FilterBar filter={filter} groups={causes.value?.groups ?? []} />}
      {error !== undefined && letters.rows === undefined ? (
        <ErrorPanel error={error} retry={letters.reload} />
      ) : letters.rows === undefined ? (
        <Loading />
      ) : letters.rows.length === 0 && state.count === 0 ? (
        <EmptyState icon={<IconMailCheck size={34} stroke={1.4} />} title={t.emptyTitle}>
          {t.emptyText}{' '}
          {causes.value !== undefined &&
            t.emptyBounds(
              count(causes.value.bounds.count),
              bytes(causes.value.bounds.bytes),
              span(causes.value.bounds.ageMs / 1000),
            )}
        </EmptyState>
      ) : (
        <div className={styles.split}>
          <div className={styles.left}>
            {error !== undefined && <ErrorPanel compact error={error} retry={letters.reload} />}
            <Causes groups={causes.value?.groups ?? []} filter={filter} />
            {letters.rows.length === 0 ? (
              <EmptyState
                icon={<IconSearch size={34} />}
                title={t.nothing}
                action={<Button onClick={reset}>{t.resetFilters}</Button>}
              >
                {t.nothingText}
              </EmptyState>
            ) : (
              <LetterList
                rows={letters.rows}
                total={total}
                complete={letters.complete}
                loadingMore={letters.loadingMore}
                more={letters.more}
                picked={picked}
                setPicked={setPicked}
                open={open}
              />
            )}
          </div>
          {open > 0 && <LetterDetailView key={open} id={open} round={round} />}
        </div>
      )}
    </div>
  );
}
