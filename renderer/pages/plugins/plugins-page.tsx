import { useCallback } from 'react';
import { useRoute } from 'wouter';
import { useCall, useChanges } from '../../app/gateway.ts';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Loading } from '../../components/loading.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { texts } from '../../app/texts.ts';
import { Catalogue } from './catalogue-view.tsx';
import { PluginPage } from './plugin-page.tsx';

/** `/plugins`: the catalogue; `/plugins/NAME`: one of them. */
export default function PluginsPage() {
  const [detail, params] = useRoute('/plugins/:name');
  const list = useCall('plugins.list', {});
  const { reload } = list;
  useChanges(
    'plugins',
    useCallback(() => reload(), [reload]),
  );
  useChanges(
    'config',
    useCallback(() => reload(), [reload]),
  );
  if (list.value === undefined) {
    if (list.error !== undefined) return <ErrorPanel error={list.error} retry={reload} />;
    if (list.stale) return <EmptyState title={texts.common.disconnected}>{texts.common.disconnectedNoData}</EmptyState>;
    return <Loading />;
  }
  if (detail) return <PluginPage key={params.name} name={params.name} entries={list.value.plugins} />;
  return <Catalogue entries={list.value.plugins} />;
}
