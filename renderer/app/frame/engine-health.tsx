import type { ReactNode } from 'react';
import type { EngineHealth, Level, StatusReport } from '../../../gateway-core/protocol/model.ts';
import { Ago } from '../../components/ago.tsx';
import { LoadBar } from '../../components/load-bar.tsx';
import { bytes, clockSeconds, count } from '../format.ts';
import { useStatus } from '../gateway.ts';
import { texts } from '../texts.ts';
import styles from './engine-health.module.css';

const t = texts.engine;

/** Threads, memory, disk and stores of the engine, as of the last status report. */
export function EngineHealthView() {
  const { value: status, stale, at } = useStatus();
  return (
    <section className={styles.view} aria-label={t.title}>
      <h2>{t.title}</h2>
      <p className={styles.dim} role="status">
        {stale && at > 0 ? t.stale(clockSeconds(at)) : status === undefined ? t.none : t.lead}
      </p>
      {status !== undefined && (
        <div data-stale={stale}>
          <Threads threads={status.health.threads} />
          <Facts status={status} />
        </div>
      )}
    </section>
  );
}

function Threads({ threads }: { threads: EngineHealth['threads'] }) {
  return (
    <table className={styles.threads}>
      <thead>
        <tr>
          <th scope="col">{t.thread}</th>
          <th scope="col">{t.busy}</th>
          <th scope="col" title={t.delayHelp}>
            {t.delay}
          </th>
          <th scope="col">{t.heap}</th>
          <th scope="col" title={t.externalHelp}>
            {t.external}
          </th>
          <th scope="col">{t.alive}</th>
        </tr>
      </thead>
      <tbody>
        {Object.entries(threads).map(([name, thread]) => (
          <tr key={name} data-thread={name}>
            <th scope="row">
              {name}
              {thread.restarts > 0 && <span className={styles.dim}> {t.restarted(count(thread.restarts))}</span>}
            </th>
            {thread.state === 'down' ? (
              <td colSpan={5} className={styles.bad}>
                {t.down}
              </td>
            ) : (
              <>
                <td>
                  <LoadBar share={thread.utilisation} />
                </td>
                <td>{t.delays(delay(thread.delayP50Ms), delay(thread.delayP99Ms), delay(thread.delayMaxMs))}</td>
                <td>
                  {t.of(bytes(thread.heapBytes), bytes(thread.heapLimitBytes))} <LevelWord level={thread.heapLevel} />
                </td>
                <td>{bytes(thread.externalBytes)}</td>
                <td className={thread.heartbeatAge > 2 ? styles.bad : undefined}>
                  {thread.heartbeatAge === 0 ? t.now : t.agoSeconds(count(thread.heartbeatAge))}
                </td>
              </>
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Facts({ status }: { status: StatusReport }) {
  const { process, disk, storage } = status.health;
  const stores = Object.values(storage.stores);
  const slowest = Math.max(0, ...stores.map(({ commits }) => commits.lastMaxSeconds));
  const size = stores.reduce((sum, store) => sum + store.bytes, 0);
  return (
    <dl className={styles.facts}>
      <Fact label={t.memory}>
        {t.of(bytes(process.rssBytes), bytes(process.memoryLimitBytes))} <LevelWord level={process.memoryLevel} />
      </Fact>
      <Fact label={t.disk}>
        {t.free(bytes(disk.freeBytes), bytes(disk.totalBytes))} <LevelWord level={disk.level} />
      </Fact>
      <Fact label={t.storage}>{t.storageQueue(count(storage.queued))}</Fact>
      <Fact label={t.commit}>{slowest === 0 ? t.noCommit : `${delay(slowest * 1000)} ms`}</Fact>
      <Fact label={t.stores}>{bytes(size)}</Fact>
      <Fact label={t.epoch}>
        <Ago time={status.time - status.uptimeSeconds * 1000} />, {t.epochs[status.epochStart]}
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

function LevelWord({ level }: { level: Level }) {
  return level === 'ok' ? null : <em data-level={level}>{t.levels[level]}</em>;
}

function delay(ms: number): string {
  return ms < 10 ? count(ms, 1) : count(ms);
}
