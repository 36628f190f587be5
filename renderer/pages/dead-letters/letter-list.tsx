import { Checkbox } from '@mantine/core';
import { useEffect, useLayoutEffect, useRef, type KeyboardEvent } from 'react';
import type { LetterRow } from '../../../gateway-core/protocol/dead-letters.ts';
import { exactTime } from '../../app/format.ts';
import { texts } from '../../app/texts.ts';
import { useUrlState } from '../../app/url-state.ts';
import { rowWindow, useScroll } from '../../components/row-window.ts';
import styles from './dead-letters.module.css';

const t = texts.deadLetters;
/** --row in tokens.css. */
const ROW = 25;
/** Rows before the end at which older ones are asked for. */
const AHEAD = 60;

interface Props {
  readonly rows: readonly LetterRow[];
  /** Of the filter: more than are loaded. */
  readonly total: number;
  readonly complete: boolean;
  readonly loadingMore: boolean;
  readonly more: () => void;
  readonly picked: ReadonlySet<number>;
  readonly setPicked: (picked: ReadonlySet<number>) => void;
  /** Id of the letter beside the list; NaN or 0: none. */
  readonly open: number;
}

export function LetterList({ rows, total, complete, loadingMore, more, picked, setPicked, open }: Props) {
  const { set } = useUrlState();
  const ref = useRef<HTMLDivElement>(null);
  const scroll = useScroll(ref);
  const { first, end } = rowWindow(scroll.top, scroll.height, ROW, rows.length);
  const at = rows.findIndex(({ id }) => id === open);
  useEffect(() => {
    if (!complete && end + AHEAD > rows.length) more();
  }, [complete, end, rows.length, more]);

  // New ones come in above: what one looks at further down stays where it is.
  const top = useRef(rows[0]?.id);
  useLayoutEffect(() => {
    const scroller = ref.current;
    const shift = rows.findIndex(({ id }) => id === top.current);
    top.current = rows[0]?.id;
    if (scroller !== null && scroller.scrollTop > 0 && shift > 0) scroller.scrollTop += shift * ROW;
  }, [rows]);

  const show = (row: LetterRow): void => set({ letter: String(row.id) }, { replace: open > 0 });
  const toggle = (id: number): void => {
    const next = new Set(picked);
    if (!next.delete(id)) next.add(id);
    setPicked(next);
  };
  const moveTo = (index: number): void => {
    const to = Math.max(0, Math.min(rows.length - 1, index));
    const row = rows[to];
    const scroller = ref.current;
    if (row === undefined || scroller === null) return;
    show(row);
    const start = to * ROW;
    if (start < scroller.scrollTop) scroller.scrollTop = start;
    else if (start + 2 * ROW > scroller.scrollTop + scroller.clientHeight)
      scroller.scrollTop = start + 2 * ROW - scroller.clientHeight;
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor((ref.current?.clientHeight ?? ROW) / ROW) - 1);
    const row = rows[at];
    switch (event.key) {
      case 'ArrowDown':
        moveTo(at + 1);
        break;
      case 'ArrowUp':
        moveTo(at === -1 ? 0 : at - 1);
        break;
      case 'PageDown':
        moveTo(at + page);
        break;
      case 'PageUp':
        moveTo(at - page);
        break;
      case 'Home':
        moveTo(0);
        break;
      case 'End':
        moveTo(rows.length - 1);
        break;
      case ' ':
        if (row !== undefined) toggle(row.id);
        break;
      case 'Enter':
        if (at === -1) moveTo(0);
        else document.getElementById('letter')?.focus();
        break;
      case 'Escape':
        set({ letter: undefined });
        break;
      default:
        return;
    }
    event.preventDefault();
  };

  const allPicked = rows.every(({ id }) => picked.has(id));
  const somePicked = rows.some(({ id }) => picked.has(id));
  const drawn = at >= first && at < end;
  return (
    <section className={styles.list}>
      <div
        ref={ref}
        className={styles.scroller}
        role="grid"
        aria-label={t.list}
        aria-multiselectable
        aria-rowcount={total + 1}
        aria-activedescendant={drawn ? `letter-${open}` : undefined}
        tabIndex={0}
        onKeyDown={onKeyDown}
      >
        <div role="rowgroup" className={styles.headGroup}>
          <div role="row" aria-rowindex={1} className={`${styles.row} ${styles.rowHead}`}>
            <span role="columnheader">
              <Checkbox
                size="xs"
                aria-label={t.pickAll}
                checked={allPicked}
                indeterminate={somePicked && !allPicked}
                onChange={() => setPicked(allPicked ? new Set() : new Set(rows.map(({ id }) => id)))}
              />
            </span>
            <span role="columnheader">{t.columns.stored}</span>
            <span role="columnheader" data-column="instance">
              {t.columns.instance}
            </span>
            <span role="columnheader" data-column="code">
              {t.columns.code}
            </span>
            <span role="columnheader">{t.columns.cause}</span>
            <span role="columnheader" className={styles.right}>
              {t.columns.attempts}
            </span>
          </div>
        </div>
        <div role="rowgroup" className={styles.rows} style={{ height: rows.length * ROW }}>
          {rows.slice(first, end).map((row, i) => (
            <div
              key={row.id}
              id={`letter-${row.id}`}
              role="row"
              aria-rowindex={first + i + 2}
              aria-selected={picked.has(row.id)}
              data-letter={row.id}
              data-open={row.id === open}
              className={styles.row}
              style={{ transform: `translateY(${(first + i) * ROW}px)` }}
              onClick={() => show(row)}
            >
              <Cells row={row} picked={picked.has(row.id)} toggle={toggle} />
            </div>
          ))}
        </div>
      </div>
      {loadingMore && <div className={styles.older}>{t.loadingMore}</div>}
    </section>
  );
}

function Cells({ row, picked, toggle }: { row: LetterRow; picked: boolean; toggle: (id: number) => void }) {
  const marks = [
    ...(row.busy ? [t.busy] : []),
    ...(row.edited ? [t.edited] : []),
    ...(row.retries > 0 ? [t.retried(row.retries)] : []),
  ];
  return (
    <>
      <span role="gridcell" onClick={(event) => event.stopPropagation()}>
        <Checkbox
          size="xs"
          tabIndex={-1}
          aria-label={t.pickOne(row.id)}
          checked={picked}
          onChange={() => toggle(row.id)}
        />
      </span>
      <span role="gridcell" className={styles.dim} title={exactTime(row.stored)}>
        {exactTime(row.stored).slice(5, 19)}
      </span>
      <span role="gridcell" data-column="instance">
        {row.instance}
      </span>
      <span role="gridcell" data-column="code" className={styles.bad} title={row.code}>
        {row.code}
      </span>
      <span role="gridcell" title={row.cause}>
        {row.cause}
        {marks.length > 0 && <em className={styles.marks}> {marks.join(', ')}</em>}
      </span>
      <span role="gridcell" className={styles.right}>
        {row.attempts}
      </span>
    </>
  );
}
