import { StateDot } from '../../components/state-dot.tsx';
import { clockSeconds, count, rate } from '../../app/format.ts';
import { useConnection } from '../../app/gateway.ts';
import { texts } from '../../app/texts.ts';
import type { TapView } from '../../live/tap.ts';
import styles from './live-page.module.css';

const t = texts.live;

/** What is shown of what passed: nothing is left out without a number here. */
export function CountsLine({
  view,
  filtered,
  paused,
  name,
}: {
  view: TapView;
  filtered: boolean;
  paused: boolean;
  name: string;
}) {
  const connection = useConnection();
  const { counts } = view;
  return (
    <div className={styles.counts}>
      {connection.phase === 'lost' ? (
        <span>
          <StateDot state="failed" /> {t.stale(clockSeconds(connection.since))}
        </span>
      ) : !view.attached ? (
        <span>
          <StateDot state="stopped" /> {t.detached(view.reason)}
        </span>
      ) : counts === undefined ? (
        <span>{t.waiting(name)}</span>
      ) : (
        <>
          <span title={t.sampledHelp}>
            {t.showing} <strong>{rate(counts.sampledPerSecond)}</strong> {t.of}{' '}
            <strong>{rate(counts.matchedPerSecond)}</strong>
            <span>{texts.frame.perSecond}</span>
          </span>
          {filtered && <span>{t.matchedOf(count(counts.matched), count(counts.seen))}</span>}
          {counts.filterErrors > 0 && (
            <span className={styles.warn} title={t.filterErrorsHelp}>
              {t.filterErrors(count(counts.filterErrors))}
            </span>
          )}
          {counts.evicted > 0 && <span>{t.evicted(count(counts.evicted))}</span>}
        </>
      )}
      {paused && (
        <span className={styles.pausedWord} role="status">
          <StateDot state="paused" /> {t.paused}
        </span>
      )}
      {paused && view.held && <span data-testid="news">{t.newSincePaused(count(view.news))}</span>}
    </div>
  );
}
