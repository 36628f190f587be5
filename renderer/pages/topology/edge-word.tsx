import { IconHourglass } from '@tabler/icons-react';
import { bytes, clockSeconds } from '../../app/format.ts';
import { useStatusValue } from '../../app/gateway.ts';
import { texts } from '../../app/texts.ts';
import { Rate } from '../../components/rate.tsx';
import { edgeRate, type GraphEdge } from './graph.ts';
import { backlog, blockKey, blocksFrom, blocksOf, type Block } from './spool-view.ts';
import styles from './spools.module.css';

const t = texts.spools;

/** The sinks for which pipelines wait. Renders anew when that changes, not with each report. */
export function useBlocks(pipelines: readonly string[]): readonly Block[] {
  return blocksFrom(useStatusValue((report) => blockKey(blocksOf(report, pipelines))));
}

/** `waits for search: its spool is full since 03:12:20`. */
export function blockSentence({ sink, cause, since }: Block): string {
  return t.blockedSentence(sink, t.causes[cause], since === 0 ? '' : clockSeconds(since));
}

/** One word or figure of an edge: what stops it, else what waits at its end, else what flows. */
export function EdgeWord({ edge }: { edge: GraphEdge }) {
  const rate = useStatusValue((report) => edgeRate(report, edge));
  const blocks = useBlocks(edge.pipelines);
  const paused = useStatusValue((report) =>
    edge.pipelines.every((name) => report?.pipelines[name]?.state === 'paused'),
  );
  const state = useStatusValue((report) => {
    const sink = report?.sinks[edge.to];
    return sink === undefined ? '' : backlog(sink);
  });
  const onDisk = useStatusValue((report) => report?.sinks[edge.to]?.buffer === 'disk');
  const size = useStatusValue((report) => report?.sinks[edge.to]?.spooledBytes) ?? 0;
  if (state === 'full') return <span className={styles.bad}>{onDisk ? t.full : t.queueFull}</span>;
  if (blocks.some(({ sink }) => sink === edge.to)) return <span className={styles.bad}>{t.queueFull}</span>;
  if (blocks.length > 0) {
    return (
      <span className={styles.waits}>
        <IconHourglass size={12} aria-hidden />
        {t.waits}
      </span>
    );
  }
  if (paused) return <span>{t.paused}</span>;
  if (state === 'waiting' && onDisk) return <span>{t.inSpool(bytes(size))}</span>;
  return rate === undefined ? <>–</> : <Rate value={rate} short />;
}
