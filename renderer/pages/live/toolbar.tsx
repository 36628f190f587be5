import { ActionIcon, Button, TextInput, Tooltip } from '@mantine/core';
import { IconPlayerPause, IconPlayerPlay, IconSearch, IconTrash, IconX } from '@tabler/icons-react';
import { useEffect, useState, type RefObject } from 'react';
import type { LiveBudget, TopologyNode } from '../../../gateway-core/protocol/model.ts';
import { texts } from '../../app/texts.ts';
import { useUrlState } from '../../app/url-state.ts';
import type { LiveTap } from '../../live/tap.ts';
import { BudgetButton } from './budget-button.tsx';
import { FilterField } from './filter-field.tsx';
import { InstancePicker } from './instance-picker.tsx';
import styles from './live-page.module.css';

const t = texts.live;
const APPLY_AFTER_MS = 450;

/** Follows the URL, and changes it a moment after the last key. */
function TextFilter({ value }: { value: string }) {
  const { set } = useUrlState();
  const [draft, setDraft] = useState(value);
  const [followed, setFollowed] = useState(value);
  if (value !== followed) {
    setFollowed(value);
    setDraft(value);
  }
  useEffect(() => {
    if (draft === value) return;
    const timer = setTimeout(() => set({ text: draft, row: undefined }, { replace: true }), APPLY_AFTER_MS);
    return () => clearTimeout(timer);
  }, [draft, value, set]);
  return (
    <TextInput
      className={styles.text ?? ''}
      aria-label={t.textPlaceholder}
      placeholder={t.textPlaceholder}
      leftSection={<IconSearch size={14} aria-hidden />}
      value={draft}
      onChange={(event) => setDraft(event.currentTarget.value)}
      rightSection={
        draft === '' ? undefined : (
          <ActionIcon variant="subtle" color="gray" size="sm" aria-label={t.clearText} onClick={() => setDraft('')}>
            <IconX size={13} />
          </ActionIcon>
        )
      }
    />
  );
}

export interface ToolbarProps {
  readonly nodes: readonly TopologyNode[];
  readonly node: TopologyNode;
  readonly where: string;
  readonly text: string;
  readonly budget: Partial<LiveBudget>;
  readonly granted: LiveBudget | undefined;
  readonly tap: LiveTap;
  readonly paused: boolean;
  readonly togglePause: () => void;
  readonly clear: () => void;
  readonly filterField: RefObject<HTMLInputElement | null>;
}

export function Toolbar({
  nodes,
  node,
  where,
  text,
  budget,
  granted,
  tap,
  paused,
  togglePause,
  clear,
  filterField,
}: ToolbarProps) {
  return (
    <div className={styles.toolbar} role="toolbar" aria-label={t.title}>
      <InstancePicker nodes={nodes} value={node.name} />
      <FilterField ref={filterField} value={where} tap={tap} />
      <TextFilter value={text} />
      <Button
        variant={paused ? 'filled' : 'default'}
        leftSection={paused ? <IconPlayerPlay size={14} aria-hidden /> : <IconPlayerPause size={14} aria-hidden />}
        onClick={togglePause}
      >
        {paused ? t.resume : t.pause}
      </Button>
      <Tooltip label={t.clearHelp}>
        <Button variant="default" leftSection={<IconTrash size={14} aria-hidden />} onClick={clear}>
          {t.clear}
        </Button>
      </Tooltip>
      <BudgetButton chosen={budget} granted={granted} />
    </div>
  );
}
