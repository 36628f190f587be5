/** The inspector's part about what waits before a sink, and what can be done about it. */
import { IconCircleCheck, IconPlugConnectedX, IconRefreshDot } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { SinkStatus } from '../../../gateway-core/protocol/model.ts';
import { bytes, count, span } from '../../app/format.ts';
import { useSecondsToFull, useStatusValue } from '../../app/gateway.ts';
import { texts } from '../../app/texts.ts';
import { Since } from '../../components/since.tsx';
import { BufferBar, useBufferText } from './buffer-bar.tsx';
import { SinkButtons } from './flow-buttons.tsx';
import { bufferFill, waitingBefore } from './spool-view.ts';
import styles from './spools.module.css';

const t = texts.spools;
const CIRCUIT_ICONS = { closed: IconCircleCheck, open: IconPlugConnectedX, probing: IconRefreshDot };
const CIRCUIT_TONES = { closed: styles.good, open: styles.open, probing: styles.waits };

export function SinkBuffer({ name, enabled }: { name: string; enabled: boolean }) {
  const sink = useStatusValue((report) => report?.sinks[name]);
  const said = useBufferText(name);
  if (sink === undefined) return null;
  return (
    <section className={styles.section} aria-label={t.title[sink.buffer]}>
      <h3>{t.title[sink.buffer]}</h3>
      <span title={said}>
        <span className="visually-hidden">{said}</span>
        <BufferBar sink={name} wide />
      </span>
      <Facts name={name} sink={sink} />
      <SinkButtons name={name} enabled={enabled} />
      <h3>{t.counts}</h3>
      <dl className={styles.counts}>
        {(['delivered', 'refused', 'retried', 'dropped'] as const).map((key) => (
          <Fact key={key} label={t.countRows[key]}>
            <span className={(key === 'refused' || key === 'dropped') && sink[key] > 0 ? styles.bad : undefined}>
              {count(sink[key])}
            </span>
          </Fact>
        ))}
      </dl>
      <p className={styles.explain}>
        {t.custody[sink.custody]} {sink.custody !== 'view' && t.custodyBuffer[sink.buffer]}
      </p>
    </section>
  );
}

function Facts({ name, sink }: { name: string; sink: SinkStatus }) {
  const secondsToFull = useSecondsToFull(name);
  const onDisk = sink.buffer === 'disk';
  const waiting = waitingBefore(sink);
  const fill = bufferFill(sink);
  const CircuitIcon = CIRCUIT_ICONS[sink.circuit];
  return (
    <dl className={styles.facts}>
      <Fact label={t.kept}>{t.keptIn[sink.buffer]}</Fact>
      <Fact label={t.messages}>{onDisk ? count(waiting) : t.inMemory(count(sink.queued), count(sink.queueLimit))}</Fact>
      {onDisk && (
        <Fact label={t.bytes}>
          {t.fill(bytes(sink.spooledBytes), bytes(sink.spoolLimitBytes), count((fill?.share ?? 0) * 100))}
        </Fact>
      )}
      <Fact label={t.oldestLabel}>
        {waiting === 0 ? t.nothingWaits : sink.oldestSeconds < 1 ? '< 1 s' : span(sink.oldestSeconds)}
      </Fact>
      {sink.fullSince > 0 ? (
        <Fact label={t.fullSince}>
          <strong className={styles.bad}>
            <Since time={sink.fullSince} />
          </strong>
        </Fact>
      ) : (
        secondsToFull !== undefined && (
          <Fact label={t.forecast}>
            <span title={t.tick}>{t.forecastAbout(span(secondsToFull))}</span>
          </Fact>
        )
      )}
      <Fact label={t.whenFull}>{t.whenFullActs[sink.whenFull]}</Fact>
      <Fact label={t.circuit}>
        <span className={CIRCUIT_TONES[sink.circuit]}>
          <CircuitIcon size={14} aria-hidden /> {t.circuits[sink.circuit]}
        </span>
        {sink.circuit !== 'closed' && <span className={styles.explain}>{t.circuitMeans[sink.circuit]}</span>}
      </Fact>
    </dl>
  );
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}
