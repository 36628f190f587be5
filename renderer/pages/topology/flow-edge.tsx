import { BaseEdge, EdgeLabelRenderer, useStore, type EdgeProps } from '@xyflow/react';
import { memo } from 'react';
import { useStatusValue } from '../../app/gateway.ts';
import { texts } from '../../app/texts.ts';
import { useUrlState } from '../../app/url-state.ts';
import { BufferBar, useBufferText } from './buffer-bar.tsx';
import { blockSentence, EdgeWord, useBlocks } from './edge-word.tsx';
import { edgeRate, type GraphEdge } from './graph.ts';
import { edgePath } from './path.ts';
import { blocksOf } from './spool-view.ts';
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

type Tone = 'flows' | 'still' | 'off' | 'held' | 'stuck';

function Line({ edge, path, selected }: { edge: GraphEdge; path: string; selected: boolean }) {
  const tone = useStatusValue((report): Tone => {
    const to = report?.instances[edge.to]?.state;
    if (to === 'failed' || to === 'retrying') return 'stuck';
    const blocks = blocksOf(report, edge.pipelines);
    // Red where it stops, amber from there up to the sources.
    if (blocks.length > 0) return blocks.some(({ sink }) => sink === edge.to) ? 'stuck' : 'held';
    const states = edge.pipelines.map((name) => report?.pipelines[name]?.state);
    if (report !== undefined && !states.includes('running')) return 'off';
    return (edgeRate(report, edge) ?? 0) > 0 ? 'flows' : 'still';
  });
  return (
    <BaseEdge
      path={path}
      data-tone={tone}
      interactionWidth={22}
      className={`${styles.edge} ${styles[tone]} ${selected ? styles.chosen : ''}`}
    />
  );
}

function Label({ edge, x, y, selected }: { edge: GraphEdge; x: number; y: number; selected: boolean }) {
  const t = texts.topology;
  const url = useUrlState();
  const buffer = useBufferText(edge.to);
  const blocks = useBlocks(edge.pipelines);
  const way = t.edge(edge.from, edge.to, edge.pipelines.join(', '));
  const more = [...blocks.map(blockSentence), buffer].filter(Boolean).join(', ');
  return (
    <button
      type="button"
      className={`${styles.label} nopan`}
      style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px)` }}
      data-edge={`${edge.from}>${edge.to}`}
      aria-pressed={selected}
      title={[way, more].filter(Boolean).join('\n')}
      onClick={(event) => {
        event.stopPropagation();
        url.set({ edge: `${edge.from}>${edge.to}`, select: undefined });
      }}
    >
      <span>
        <span className="visually-hidden">{way} </span>
        <EdgeWord edge={edge} />
        {more !== '' && <span className="visually-hidden"> {more}</span>}
      </span>
      <BufferBar sink={edge.to} />
    </button>
  );
}
