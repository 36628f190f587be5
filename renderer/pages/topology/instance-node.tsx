import { Handle, Position, type NodeProps } from '@xyflow/react';
import { memo } from 'react';
import type { InstanceState, TopologyNode } from '../../../gateway-core/protocol/model.ts';
import { count, shortCount } from '../../app/format.ts';
import { useDeadLettersValue, useStatusValue } from '../../app/gateway.ts';
import { texts } from '../../app/texts.ts';
import { useUrlState } from '../../app/url-state.ts';
import { PluginIcon } from '../../components/plugin-icon.tsx';
import { Rate } from '../../components/rate.tsx';
import { StateDot } from '../../components/state-dot.tsx';
import styles from './topology.module.css';
import type { CanvasNode } from './topology-view.tsx';

/** One instance. Rerenders when its own figures change, and for nothing else. */
export const InstanceNode = memo(function InstanceNode({
  data,
  selected,
}: NodeProps<Extract<CanvasNode, { type?: 'instance' }>>) {
  return (
    <>
      <Handle type="target" position={Position.Left} className={styles.handle} isConnectable={false} />
      <NodeCard node={data.node as TopologyNode} selected={selected} />
      <Handle type="source" position={Position.Right} className={styles.handle} isConnectable={false} />
    </>
  );
});

function NodeCard({ node, selected }: { node: TopologyNode; selected: boolean }) {
  const t = texts.topology;
  const url = useUrlState();
  const { name, kind, plugin } = node;
  const known = useStatusValue((report) => report?.instances[name]?.state);
  const reason = useStatusValue((report) => report?.instances[name]?.reason) ?? '';
  const rate = useStatusValue((report) => report?.instances[name]?.ratePerSecond);
  const letters = useDeadLettersValue((known) => known?.instances[name]) ?? 0;
  const state: InstanceState | 'unknown' = node.enabled ? (known ?? 'unknown') : 'disabled';
  const word = state === 'unknown' ? texts.frame.states.unknown : texts.common.instanceStates[state];
  const flowing = state === 'running' || state === 'degraded';
  return (
    <button
      type="button"
      className={`${styles.node} nopan`}
      data-node={name}
      data-kind={kind}
      data-state={state}
      aria-pressed={selected}
      title={reason === '' ? word : `${word}: ${reason}`}
      onClick={(event) => {
        // The canvas would take it for a click of its own.
        event.stopPropagation();
        url.set({ select: name, edge: undefined });
      }}
    >
      <span className={styles.nodeIcon}>
        <PluginIcon icon={node.icon} kind={kind} size={18} />
      </span>
      <span className={styles.nodeName}>
        <StateDot state={state} />
        <strong>{name}</strong>
      </span>
      <span className="visually-hidden">{t.kindOf(texts.common.kinds[kind])}</span>
      {letters > 0 && (
        <span className={styles.badge} title={t.letters(count(letters))}>
          {shortCount(letters)} <span className="visually-hidden">{t.lettersWord}</span>
        </span>
      )}
      <span className={styles.nodePlugin}>{plugin}</span>
      <span className={styles.nodeRate}>
        {flowing ? (
          <Rate value={rate ?? 0} short />
        ) : (
          <em data-state={state} aria-hidden>
            {word}
          </em>
        )}
        {reason !== '' && <span className="visually-hidden">{reason}</span>}
      </span>
    </button>
  );
}

/** Heading of what no pipeline uses. */
export const LooseLabel = memo(function LooseLabel() {
  return <div className={styles.loose}>{texts.topology.loose}</div>;
});
