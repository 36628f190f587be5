/** What became of what an instance took in: the rows of its ledger, which add up. */
import { IconAlertTriangle, IconCheck } from '@tabler/icons-react';
import type { InstanceStatus } from '../../../gateway-core/protocol/model.ts';
import { count } from '../../app/format.ts';
import { texts } from '../../app/texts.ts';
import styles from './topology.module.css';

const t = texts.topology;

type Row = keyof typeof t.stepRows;
const ALWAYS: Readonly<Record<string, readonly Row[]>> = {
  source: ['received', 'emitted', 'returned'],
  handler: ['received', 'created', 'emitted', 'filtered', 'refused', 'held'],
  sink: ['received', 'emitted', 'refused', 'returned', 'held'],
};
const GAINS: readonly Row[] = ['received', 'created'];
const LOSSES: readonly Row[] = ['emitted', 'filtered', 'refused', 'returned', 'held'];

export function StepLedger({ status }: { status: InstanceStatus }) {
  const always = ALWAYS[status.kind] ?? [];
  const shown = (row: Row): boolean => always.includes(row) || status[row] !== 0;
  return (
    <>
      <dl className={styles.stepLedger}>
        {GAINS.filter(shown).map((row, i) => (
          <Line key={row} sign={i === 0 ? '' : '+'} row={row} value={status[row]} />
        ))}
        {LOSSES.filter(shown).map((row, i) => (
          <Line key={row} sign={i === 0 ? '=' : '+'} row={row} value={status[row]} />
        ))}
      </dl>
      <p className={status.addsUp ? styles.good : styles.bad}>
        {status.addsUp ? <IconCheck size={14} aria-hidden /> : <IconAlertTriangle size={14} aria-hidden />}{' '}
        {status.addsUp ? t.addsUp : t.doesNotAddUp}
      </p>
    </>
  );
}

function Line({ sign, row, value }: { sign: string; row: Row; value: number }) {
  return (
    <div data-row={row}>
      <dt>
        {sign} {t.stepRows[row]}
      </dt>
      <dd className={row === 'refused' && value > 0 ? styles.bad : undefined}>{count(value)}</dd>
    </div>
  );
}
