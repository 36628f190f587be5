import { BaseEdge, EdgeLabelRenderer, useStore, type EdgeProps } from '@xyflow/react';
import { memo } from 'react';
import { count } from '../../app/format.ts';
import { useStatusValue } from '../../app/gateway.ts';
import { texts } from '../../app/texts.ts';
import { useUrlState } from '../../app/url-state.ts';
import { Rate } from '../../components/rate.tsx';
import { edgeRate, fillTone, type GraphEdge } from './graph.ts';
import { edgePath } from './path.ts';
import styles from './topology.module.css';
import type { CanvasEdge } from './topology-view.tsx';

/** Below this zoom labels cannot be read and only cover the edges. */
const LABEL_ZOOM = 0.45;

export const FlowEdge = memo(function FlowEdge({ data, selected }: EdgeProps<CanvasEdge>) {
  const legible = useStore((store) => store.transform[2] >= LABEL_ZOOM);
  if (data === undefined) return null;
  const at = data.label;
  return (
    <>
      <Line edge={data.edge} path={edgePath(data.points)} selected={selected === true} />
      {legible && (
        <EdgeLabelRenderer>
          <Label edge={data.edge} x={at.x} y={at.y} selected={selected === true} />
        </EdgeLabelRenderer>
      )}
    </>
  );
});

type Tone = 'flows' | 'still' | 'off' | 'stuck';

function Line({ edge, path, selected }: { edge: GraphEdge; path: string; selected: boolean }) {
  const tone = useStatusValue((report): Tone => {
    const to = report?.instances[edge.to]?.state;
    if (to === 'failed' || to === 'retrying') return 'stuck';
    const states = edge.pipelines.map((name) => report?.pipelines[name]?.state);
    if (states.includes('blocked')) return 'stuck';
    if (report !== undefined && !states.includes('running')) return 'off';
    return (edgeRate(report, edge) ?? 0) > 0 ? 'flows' : 'still';
  });
  return (
    <BaseEdge
      path={path}
      interactionWidth={22}
      className={`${styles.edge} ${styles[tone]} ${selected ? styles.chosen : ''}`}
    />
  );
}

function Label({ edge, x, y, selected }: { edge: GraphEdge; x: number; y: number; selected: boolean }) {
  const t = texts.topology;
  const url = useUrlState();
  const rate = useStatusValue((report) => edgeRate(report, edge));
  const queued = useStatusValue((report) => report?.sinks[edge.to]?.queued) ?? 0;
  const limit = useStatusValue((report) => report?.sinks[edge.to]?.queueLimit) ?? 0;
  const spooled = useStatusValue((report) => report?.sinks[edge.to]?.spooled) ?? 0;
  const paused = useStatusValue((report) =>
    edge.pipelines.every((name) => report?.pipelines[name]?.state === 'paused'),
  );
  const share = limit > 0 ? Math.min(1, queued / limit) : 0;
  const way = t.edge(edge.from, edge.to, edge.pipelines.join(', '));
  const waiting = [
    ...(limit > 0 ? [t.queue(count(queued), count(limit))] : []),
    ...(spooled > 0 ? [t.spooled(count(spooled))] : []),
  ].join(', ');
  return (
    <button
      type="button"
      className={`${styles.label} nopan`}
      style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px)` }}
      data-edge={`${edge.from}>${edge.to}`}
      aria-pressed={selected}
      title={[way, waiting].filter(Boolean).join(', ')}
      onClick={(event) => {
        event.stopPropagation();
        url.set({ edge: `${edge.from}>${edge.to}`, select: undefined });
      }}
    >
      <span>
        <span className="visually-hidden">{way}</span>
        {paused ? t.paused : rate === undefined ? '–' : <Rate value={rate} short />}
        {waiting !== '' && <span className="visually-hidden">{waiting}</span>}
      </span>
      {limit > 0 && (
        <span className={styles.queue} aria-hidden>
          <span data-fill={fillTone(queued, limit)} style={{ width: `${share * 100}%` }} />
        </span>
      )}
    </button>
  );
}
