/** The line below a node: what waits before a sink, or for which sink a source or handler waits. */
import { IconHourglass, IconPlugConnectedX, IconRefreshDot } from '@tabler/icons-react';
import type { TopologyNode } from '../../../gateway-core/protocol/model.ts';
import { count, shortCount, shortSpan, span } from '../../app/format.ts';
import { useStatusValue, useTopology } from '../../app/gateway.ts';
import { texts } from '../../app/texts.ts';
import { blockSentence, useBlocks } from './edge-word.tsx';
import { pipelinesOf } from './graph.ts';
import { backlog, waitingBefore } from './spool-view.ts';
import styles from './spools.module.css';

const t = texts.spools;

/** Nothing while all is well. */
export function NodeStrip({ node }: { node: TopologyNode }) {
  return node.kind === 'sink' ? <SinkStrip name={node.name} /> : <BlockedStrip name={node.name} />;
}

function SinkStrip({ name }: { name: string }) {
  const circuit = useStatusValue((report) => report?.sinks[name]?.circuit) ?? 'closed';
  const waiting = useStatusValue((report) => {
    const sink = report?.sinks[name];
    return sink === undefined || backlog(sink) === '' ? 0 : waitingBefore(sink);
  });
  // To the second: the report has tenths, which would render each node anew for nothing.
  const oldest = useStatusValue((report) => Math.floor(report?.sinks[name]?.oldestSeconds ?? 0));
  if (circuit === 'closed' && waiting === 0) return null;
  const CircuitIcon = circuit === 'open' ? IconPlugConnectedX : IconRefreshDot;
  const title = [
    ...(circuit === 'closed' ? [] : [`${t.circuits[circuit]}: ${t.circuitMeans[circuit]}`]),
    ...(waiting === 0 ? [] : [t.waiting(count(waiting))]),
    ...(waiting === 0 || oldest === 0 ? [] : [t.oldest(span(oldest))]),
  ].join(', ');
  return (
    <span className={styles.strip} title={title} data-strip={name}>
      {circuit !== 'closed' && (
        <span className={circuit === 'open' ? styles.open : styles.waits}>
          <CircuitIcon size={12} aria-hidden />
          {t.circuits[circuit]}
        </span>
      )}
      {waiting > 0 && (
        <span>
          {t.waiting(shortCount(waiting))}
          {oldest > 0 && ` · ${shortSpan(oldest)}`}
        </span>
      )}
    </span>
  );
}

function BlockedStrip({ name }: { name: string }) {
  const topology = useTopology().value;
  const blocks = useBlocks(topology === undefined ? [] : pipelinesOf(topology, name));
  if (blocks.length === 0) return null;
  return (
    <span className={styles.strip} title={blocks.map(blockSentence).join('; ')} data-strip={name}>
      <span className={styles.waits}>
        <IconHourglass size={12} aria-hidden />
        {t.waitsFor(blocks.map(({ sink }) => sink).join(', '))}
      </span>
    </span>
  );
}
