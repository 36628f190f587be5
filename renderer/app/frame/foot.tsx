import { IconAlertTriangle, IconCheck } from '@tabler/icons-react';
import { StateDot } from '../../components/state-dot.tsx';
import { clockSeconds, count, exactTime } from '../format.ts';
import { useConnection, useStatus } from '../gateway.ts';
import { sumLedger, type LedgerSum } from '../ledger.ts';
import { texts } from '../texts.ts';
import styles from './frame.module.css';

const t = texts.frame;

/** The dot's own word would say the same thing twice. */
function Word({ state, children }: { state: 'running' | 'starting' | 'failed'; children: string }) {
  return (
    <span className={styles.footItem}>
      <span aria-hidden>
        <StateDot state={state} />
      </span>
      <span>{children}</span>
    </span>
  );
}

function ConnectionWord() {
  const connection = useConnection();
  switch (connection.phase) {
    case 'connected':
      return <Word state="running">{connection.access === 'full' ? t.connected : t.connectedReadOnly}</Word>;
    case 'connecting':
      return <Word state="starting">{t.connecting}</Word>;
    case 'lost':
      return <Word state="failed">{t.reconnecting}</Word>;
    case 'refused':
      return <Word state="failed">{t.noConnection}</Word>;
  }
}

/** Terms that are always shown, and those that only count when there are any. */
const TERMS: readonly {
  key: Exclude<keyof LedgerSum, 'addsUp' | 'received' | 'carried'>;
  label: string;
  always: boolean;
  title?: string;
}[] = [
  { key: 'delivered', label: t.ledger.delivered, always: true },
  { key: 'filtered', label: t.ledger.filtered, always: true },
  { key: 'deadLettered', label: t.ledger.deadLetters, always: true },
  { key: 'dropped', label: t.ledger.dropped, always: false, title: t.ledger.droppedText },
  { key: 'spooled', label: t.ledger.spooled, always: true, title: t.ledger.spooledText },
  { key: 'inFlight', label: t.ledger.inFlight, always: true },
  { key: 'returned', label: t.ledger.returned, always: true },
];

export function Foot() {
  const { value: status, stale, at } = useStatus();
  const sum = status?.configured === true ? sumLedger(Object.values(status.pipelines)) : undefined;
  return (
    <footer className={styles.foot}>
      <ConnectionWord />
      {sum !== undefined && (
        <span className={styles.ledger} data-stale={stale} role="group" aria-label={t.ledger.label}>
          <span>
            {t.ledger.received} <strong>{count(sum.received)}</strong>
          </span>
          {sum.carried > 0 && <span title={t.ledger.carriedText}>({t.ledger.carried(count(sum.carried))})</span>}
          {TERMS.filter(({ key, always }) => always || sum[key] > 0).map(({ key, label, title }, i) => (
            <span key={key} title={title}>
              {i === 0 ? '= ' : '+ '}
              {label} <strong className={key === 'dropped' ? styles.lost : undefined}>{count(sum[key])}</strong>
            </span>
          ))}
          <span className={sum.addsUp ? styles.good : styles.wrong}>
            {sum.addsUp ? (
              <IconCheck size={13} stroke={2.4} aria-hidden />
            ) : (
              <IconAlertTriangle size={13} aria-hidden />
            )}{' '}
            {sum.addsUp ? t.ledger.addsUp : t.ledger.doesNotAddUp}
          </span>
        </span>
      )}
      <span className={styles.grow} />
      {status?.epochStart === 'unclean' && (
        <span title={texts.engine.cutOffHelp(exactTime(status.lastEpoch?.lastAlive ?? 0))}>{texts.engine.cutOff}</span>
      )}
      {stale && at > 0 && <span>{t.staleSince(clockSeconds(at))}</span>}
      {status !== undefined && <span>{status.configured ? t.configVersion(status.configVersion) : t.noConfig}</span>}
    </footer>
  );
}
