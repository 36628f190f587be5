import { memo } from 'react';
import type { LiveRow } from '../../../gateway-core/protocol/model.ts';
import { bytes, clock, exactTime, micros } from '../../app/format.ts';
import { texts } from '../../app/texts.ts';
import { Verdict } from '../../components/verdict.tsx';
import styles from './row-list.module.css';

/** What messages have that were given no type: says nothing. */
const DEFAULT_TYPE = 'patchbay.message';

/** What came of it: the result, or why there is none. */
function Outcome({ row }: { row: LiveRow }) {
  switch (row.verdict) {
    case 'refused':
      return (
        <span className={styles.bad}>
          {row.code ?? ''} {row.reason ?? ''}
        </span>
      );
    case 'filtered':
      return (
        <span className={styles.dim}>
          {row.reason === undefined || row.reason === '' ? texts.common.verdicts.filtered : row.reason}
        </span>
      );
    case 'split':
      return (
        <>
          <span className={styles.dim}>{texts.live.parts(row.parts ?? 0)}:</span> {row.after}
        </>
      );
    case 'modified':
      return row.after;
    default:
      return <span className={styles.faint}>{texts.live.asItCame}</span>;
  }
}

/** The cells of one message. Never changes once drawn. */
export const Row = memo(function Row({ row, handler }: { row: LiveRow; handler: boolean }) {
  return (
    <>
      <span role="gridcell" className={styles.dim} title={exactTime(row.time)}>
        {clock(row.time)}
      </span>
      {handler && <span role="gridcell">{row.verdict !== undefined && <Verdict verdict={row.verdict} />}</span>}
      <span role="gridcell" data-column="origin" className={styles.dim} title={row.origin}>
        {row.origin}
      </span>
      <span role="gridcell" data-column="id" title={`${row.type} · ${row.id}`}>
        {row.type === DEFAULT_TYPE ? row.kind : row.type} <span className={styles.faint}>{row.id}</span>
      </span>
      <span role="gridcell" className={styles.summary}>
        {row.summary}
      </span>
      {handler && (
        <span role="gridcell" className={styles.summary}>
          <span aria-hidden className={styles.faint}>
            →{' '}
          </span>
          <Outcome row={row} />
        </span>
      )}
      <span role="gridcell" className={`${styles.dim} ${styles.right}`}>
        {handler ? (row.micros === undefined ? '' : micros(row.micros)) : bytes(row.bytes)}
      </span>
    </>
  );
});
