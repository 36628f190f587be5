import { bytes, count, span } from '../../app/format.ts';
import { useSecondsToFull, useStatusValue } from '../../app/gateway.ts';
import { texts } from '../../app/texts.ts';
import { bufferFill, predictedShare, waitingBefore } from './spool-view.ts';
import styles from './spools.module.css';

const t = texts.spools;

/** How full the buffer before a sink is, with a tick where it will be in ten minutes. In words: {@link useBufferText}. */
export function BufferBar({ sink, wide = false }: { sink: string; wide?: boolean }) {
  const status = useStatusValue((report) => report?.sinks[sink]);
  const secondsToFull = useSecondsToFull(sink);
  const fill = status === undefined ? undefined : bufferFill(status);
  if (fill === undefined) return null;
  const predicted = fill.share < 1 ? predictedShare(fill.share, secondsToFull) : undefined;
  return (
    <span className={wide ? `${styles.bar} ${styles.wide}` : styles.bar} data-bar={sink} aria-hidden>
      <span className={styles.fill} data-fill={fill.tone} style={{ width: `${fill.share * 100}%` }} />
      {predicted !== undefined && predicted - fill.share > 0.01 && (
        <span className={styles.tick} style={{ left: `${predicted * 100}%` }} />
      )}
    </span>
  );
}

/** All of it in words, for titles and screen readers; '' when nothing is known. */
export function useBufferText(sink: string): string {
  const status = useStatusValue((report) => report?.sinks[sink]);
  const secondsToFull = useSecondsToFull(sink);
  const fill = status === undefined ? undefined : bufferFill(status);
  if (status === undefined || fill === undefined) return '';
  const percent = count(fill.share * 100);
  const onDisk = status.buffer === 'disk';
  const waiting = waitingBefore(status);
  return [
    onDisk
      ? t.inSpool(t.fill(bytes(status.spooledBytes), bytes(status.spoolLimitBytes), percent))
      : t.inQueue(t.fill(count(status.queued), count(status.queueLimit), percent)),
    ...(waiting > 0 && onDisk ? [t.waiting(count(waiting))] : []),
    ...(waiting > 0 && status.oldestSeconds >= 1 ? [t.oldest(span(status.oldestSeconds))] : []),
    ...(status.circuit === 'closed' ? [] : [t.circuits[status.circuit]]),
    ...(status.fullSince > 0 ? [t.full] : secondsToFull === undefined ? [] : [t.fullIn(span(secondsToFull))]),
  ].join(', ');
}
