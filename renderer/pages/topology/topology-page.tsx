import { Button } from '@mantine/core';
import { IconPlug, IconSitemap } from '@tabler/icons-react';
import { Link } from 'wouter';
import { useTopology } from '../../app/gateway.ts';
import { texts } from '../../app/texts.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Loading } from '../../components/loading.tsx';
import { TopologyView } from './topology-view.tsx';

export default function TopologyPage() {
  const t = texts.topology;
  const { value: topology, error, stale } = useTopology();
  if (topology === undefined) {
    if (error !== undefined) return <ErrorPanel error={error} />;
    if (stale) return <EmptyState title={texts.common.disconnected}>{texts.common.disconnectedNoData}</EmptyState>;
    return <Loading />;
  }
  if (topology.nodes.length === 0) {
    return (
      <EmptyState
        icon={<IconSitemap size={34} stroke={1.4} />}
        title={t.empty}
        action={
          <Button component={Link} href="/plugins" leftSection={<IconPlug size={15} aria-hidden />}>
            {t.emptyAction}
          </Button>
        }
      >
        {t.emptyText}
      </EmptyState>
    );
  }
  return <TopologyView topology={topology} stale={stale} />;
}
