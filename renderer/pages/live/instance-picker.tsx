import { Select } from '@mantine/core';
import { useMemo } from 'react';
import type { TopologyNode } from '../../../gateway-core/protocol/model.ts';
import { useStatus } from '../../app/gateway.ts';
import { texts } from '../../app/texts.ts';
import { useUrlState } from '../../app/url-state.ts';
import { Rate } from '../../components/rate.tsx';
import { StateDot } from '../../components/state-dot.tsx';
import styles from './live-page.module.css';

const KINDS = ['source', 'handler', 'sink'] as const;

function Option({ node }: { node: TopologyNode }) {
  const status = useStatus().value?.instances[node.name];
  return (
    <span className={styles.option}>
      <StateDot state={status?.state ?? 'unknown'} reason={status?.reason ?? ''} />
      <span className={styles.optionName}>{node.name}</span>
      <span className={styles.optionRate}>{status !== undefined && <Rate value={status.ratePerSecond} short />}</span>
    </span>
  );
}

/** Which instance is watched, grouped by what it is. */
export function InstancePicker({ nodes, value }: { nodes: readonly TopologyNode[]; value: string }) {
  const { set } = useUrlState();
  const data = useMemo(
    () =>
      KINDS.map((kind) => ({
        group: texts.common.kindsMany[kind],
        items: nodes.filter((node) => node.kind === kind).map(({ name }) => ({ value: name, label: name })),
      })).filter(({ items }) => items.length > 0),
    [nodes],
  );
  return (
    <Select
      className={styles.picker ?? ''}
      aria-label={texts.live.instance}
      leftSection={<span className={styles.pickerWord}>{texts.live.instance}</span>}
      leftSectionWidth={54}
      data={data}
      value={nodes.some(({ name }) => name === value) ? value : null}
      onChange={(name) => {
        if (name !== null) set({ at: name, row: undefined });
      }}
      searchable
      allowDeselect={false}
      maxDropdownHeight={360}
      comboboxProps={{ width: 300, position: 'bottom-start' }}
      renderOption={({ option }) => {
        const node = nodes.find(({ name }) => name === option.value);
        return node === undefined ? option.label : <Option node={node} />;
      }}
    />
  );
}
