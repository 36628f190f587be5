import { IconActivity, IconPlug } from '@tabler/icons-react';
import { Button } from '@mantine/core';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { Link } from 'wouter';
import { useTopology } from '../../app/gateway.ts';
import { usePreferences } from '../../app/preferences.ts';
import { texts } from '../../app/texts.ts';
import { useUrlState } from '../../app/url-state.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Loading } from '../../components/loading.tsx';
import type { Topology, TopologyNode } from '../../../gateway-core/protocol/model.ts';
import { InstancePicker } from './instance-picker.tsx';
import styles from './live-page.module.css';
import { LiveView } from './live-view.tsx';

const t = texts.live;

/** What can be watched: sources, handlers and sinks. */
function watchable(topology: Topology): readonly TopologyNode[] {
  return topology.nodes.filter(({ kind }) => kind === 'source' || kind === 'handler' || kind === 'sink');
}

/** A handler shows the most: before and after. */
function firstChoice(nodes: readonly TopologyNode[]): TopologyNode | undefined {
  const on = nodes.filter(({ enabled }) => enabled);
  return on.find(({ kind }) => kind === 'handler') ?? on[0] ?? nodes[0];
}

export default function LivePage() {
  const { value: topology, error } = useTopology();
  const url = useUrlState();
  const { set } = url;
  const at = url.get('at');
  const budget = usePreferences((state) => state.liveBudget);
  const nodes = useMemo(() => (topology === undefined ? undefined : watchable(topology)), [topology]);
  const known = nodes?.find(({ name }) => name === at);
  const [round, setRound] = useState(0);
  const restart = useCallback(() => setRound((n) => n + 1), []);

  // Only on arrival: an instance that is removed later is said to be gone, not silently replaced.
  const arrived = useRef(false);
  useEffect(() => {
    if (nodes === undefined || arrived.current) return;
    const choice = at === '' ? firstChoice(nodes) : undefined;
    if (at === '' && choice === undefined) return;
    arrived.current = true;
    if (choice !== undefined) set({ at: choice.name }, { replace: true });
  }, [nodes, at, set]);

  if (nodes === undefined) return error === undefined ? <Loading /> : <ErrorPanel error={error} />;
  if (nodes.length === 0) {
    return (
      <EmptyState
        icon={<IconActivity size={34} stroke={1.4} />}
        title={t.nothingToWatch}
        action={
          <Button component={Link} href="/plugins" leftSection={<IconPlug size={15} aria-hidden />}>
            {t.toPlugins}
          </Button>
        }
      >
        {t.nothingToWatchText}
      </EmptyState>
    );
  }
  return (
    <div className={styles.page}>
      <h1 className="visually-hidden">{t.title}</h1>
      {known === undefined ? (
        <>
          <div className={styles.toolbar}>
            <InstancePicker nodes={nodes} value={at} />
          </div>
          {at !== '' && <EmptyState title={t.gone(at)}>{t.goneText}</EmptyState>}
          {at === '' && <EmptyState title={t.pick}>{t.pickText}</EmptyState>}
        </>
      ) : (
        <LiveView
          nodes={nodes}
          node={known}
          where={url.get('where')}
          text={url.get('text')}
          budget={budget}
          round={round}
          restart={restart}
        />
      )}
    </div>
  );
}
