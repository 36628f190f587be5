import { Button } from '@mantine/core';
import { IconActivity, IconArrowDown } from '@tabler/icons-react';
import { useEffect, useLayoutEffect, useRef, type KeyboardEvent, type RefObject } from 'react';
import type { TopologyNode } from '../../../gateway-core/protocol/model.ts';
import { clockSeconds, count } from '../../app/format.ts';
import { texts } from '../../app/texts.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { missing, type Entry, type GapEntry, type RowEntry } from '../../live/ring.ts';
import type { LiveTap, TapView } from '../../live/tap.ts';
import styles from './row-list.module.css';
import { rowWindow, useScroll } from '../../components/row-window.ts';
import { Row } from './row.tsx';

const t = texts.live;
/** --row in tokens.css. */
const ROW = 25;

export interface RowListProps {
  readonly ref: RefObject<HTMLDivElement | null>;
  readonly tap: LiveTap;
  readonly view: TapView;
  readonly node: TopologyNode;
  readonly selected: RowEntry | undefined;
  readonly filtered: boolean;
  readonly following: boolean;
  readonly setFollowing: (following: boolean) => void;
  readonly toNewest: () => void;
  readonly select: (row: RowEntry | undefined, replace?: boolean) => void;
}

function Gap({ gap, load, busy }: { gap: GapEntry; load: () => void; busy: boolean }) {
  return (
    <span className={styles.mark}>
      {gap.lost ? t.gapLost(count(missing(gap))) : t.gap(count(missing(gap)))}
      {!gap.lost && (
        <Button variant="default" size="compact-xs" disabled={busy} onClick={load} tabIndex={-1}>
          {t.loadGap}
        </Button>
      )}
    </span>
  );
}

export function RowList({
  ref,
  tap,
  view,
  node,
  selected,
  filtered,
  following,
  setFollowing,
  toNewest,
  select,
}: RowListProps) {
  const { ring } = tap;
  const { length } = ring;
  const scroll = useScroll(ref);
  // At the newest the end is drawn, wherever the scroller still stands: it follows before the paint.
  const top = following ? Math.max(0, length * ROW - scroll.height) : scroll.top;
  const { first, end } = rowWindow(top, scroll.height, ROW, length);
  const handler = node.kind === 'handler';
  const selectedAt = selected === undefined ? -1 : ring.find(selected.row.seq, selected.row.id);
  // A row that is scrolled away is not in the document: nothing may point at it.
  const selectedDrawn = selectedAt >= first && selectedAt < end;

  // At the newest: after every change, before the browser paints.
  useLayoutEffect(() => {
    const scroller = ref.current;
    if (following && scroller !== null) scroller.scrollTop = scroller.scrollHeight;
  }, [ref, following, view.version, length]);

  // Older rows came in above: what one looks at stays where it is.
  const shifted = useRef(view.shifted);
  useLayoutEffect(() => {
    const scroller = ref.current;
    const by = view.shifted - shifted.current;
    shifted.current = view.shifted;
    if (by > 0 && scroller !== null) scroller.scrollTop += by * ROW;
  }, [ref, view.shifted]);

  const onScroll = (): void => {
    const scroller = ref.current;
    if (scroller === null) return;
    const atEnd = scroller.scrollTop + scroller.clientHeight >= scroller.scrollHeight - ROW;
    if (!atEnd && following) setFollowing(false);
    if (scroller.scrollTop < ROW * 20 && !following && scroller.scrollHeight > scroller.clientHeight)
      void tap.loadOlder();
  };
  // Paging may be needed without any scrolling: few rows here, more in the ring.
  useEffect(() => {
    const scroller = ref.current;
    if (!following && scroller !== null && scroller.scrollTop === 0 && !view.atBeginning && view.open)
      void tap.loadOlder();
  }, [ref, tap, following, view.atBeginning, view.open]);

  /** Scrolls no further than needed; the head covers one row. */
  const reveal = (index: number): void => {
    const scroller = ref.current;
    if (scroller === null) return;
    const start = index * ROW;
    if (start < scroller.scrollTop) scroller.scrollTop = start;
    else if (start + 2 * ROW > scroller.scrollTop + scroller.clientHeight)
      scroller.scrollTop = start + 2 * ROW - scroller.clientHeight;
  };
  const moveTo = (from: number, step: number): void => {
    for (let i = from; i >= 0 && i < length; i += step) {
      const entry = ring.at(i);
      if (entry?.kind !== 'row') continue;
      select(entry, selected !== undefined);
      reveal(i);
      return;
    }
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor((ref.current?.clientHeight ?? ROW) / ROW) - 1);
    const from = selectedAt === -1 ? length : selectedAt;
    switch (event.key) {
      case 'ArrowDown':
        moveTo(selectedAt === -1 ? length - 1 : selectedAt + 1, selectedAt === -1 ? -1 : 1);
        break;
      case 'ArrowUp':
        moveTo(from - 1, -1);
        break;
      case 'PageDown':
        moveTo(Math.min(length - 1, from + page), -1);
        break;
      case 'PageUp':
        moveTo(Math.max(0, from - page), 1);
        break;
      case 'Home':
        moveTo(0, 1);
        break;
      case 'End':
        select(undefined, true);
        toNewest();
        break;
      case 'Enter':
        if (selectedAt === -1) moveTo(length - 1, -1);
        else document.getElementById('message')?.focus();
        break;
      default:
        return;
    }
    event.preventDefault();
  };

  const render = (entry: Entry, i: number) => {
    if (entry.kind === 'row') return <Row row={entry.row} handler={handler} />;
    if (entry.kind === 'gap')
      return <Gap gap={entry} load={() => void tap.loadGap(entry)} busy={view.paging || i < 0} />;
    return <span className={styles.mark}>{t.restarted(clockSeconds(entry.time))}</span>;
  };

  return (
    <section className={styles.list} data-handler={handler} data-stale-rows={!view.open}>
      <div
        ref={ref}
        className={styles.scroller}
        role="grid"
        aria-label={t.listLabel(node.name)}
        aria-rowcount={length + 1}
        aria-activedescendant={!selectedDrawn ? undefined : `row-${selected?.tap}-${selected?.row.seq}`}
        tabIndex={0}
        onScroll={onScroll}
        onKeyDown={onKeyDown}
      >
        <div role="rowgroup" className={styles.headGroup}>
          <div role="row" aria-rowindex={1} className={`${styles.row} ${styles.head}`}>
            <span role="columnheader">{t.columns.time}</span>
            {handler && (
              <span role="columnheader">
                <span className="visually-hidden">{t.columns.verdict}</span>
              </span>
            )}
            <span role="columnheader" data-column="origin">
              {t.columns.origin}
            </span>
            <span role="columnheader" data-column="id">
              {t.columns.id}
            </span>
            <span role="columnheader">{handler ? t.columns.before : t.columns.summary}</span>
            {handler && <span role="columnheader">{t.columns.after}</span>}
            <span role="columnheader" className={styles.right}>
              {handler ? t.columns.micros : t.columns.size}
            </span>
          </div>
        </div>
        {length > 0 && (
          <div role="rowgroup" className={styles.rows} style={{ height: length * ROW }}>
            {Array.from({ length: Math.max(0, end - first) }, (_, i) => first + i).map((index) => {
              const entry = ring.at(index);
              if (entry === undefined) return null;
              const isRow = entry.kind === 'row';
              return (
                <div
                  key={isRow ? `${entry.tap} ${entry.row.seq}` : `mark ${index}`}
                  id={isRow ? `row-${entry.tap}-${entry.row.seq}` : undefined}
                  role="row"
                  aria-rowindex={index + 2}
                  aria-selected={isRow ? index === selectedAt : undefined}
                  className={isRow ? styles.row : `${styles.row} ${styles.markRow}`}
                  data-verdict={isRow ? entry.row.verdict : undefined}
                  style={{ transform: `translateY(${index * ROW}px)` }}
                  onClick={isRow ? () => select(entry, selected !== undefined) : undefined}
                >
                  {isRow ? render(entry, index) : <span role="gridcell">{render(entry, index)}</span>}
                </div>
              );
            })}
          </div>
        )}
      </div>
      {length === 0 && (
        <div className={styles.nothing}>
          <EmptyState
            icon={<IconActivity size={30} stroke={1.4} />}
            title={filtered && (view.counts?.seen ?? 0) > 0 ? t.waitingFilter : t.waiting(node.name)}
          >
            {filtered && view.counts !== undefined ? t.seenSoFar(count(view.counts.seen)) : t.waitingText}
          </EmptyState>
        </div>
      )}
      {view.held && view.paging && <div className={styles.older}>{t.loadingOlder}</div>}
      {!following && length > 0 && (
        <Button
          className={styles.newest ?? ''}
          size="compact-sm"
          leftSection={<IconArrowDown size={14} aria-hidden />}
          onClick={toNewest}
        >
          {view.news > 0 ? t.newBelow(count(view.news)) : t.toNewest}
        </Button>
      )}
    </section>
  );
}
