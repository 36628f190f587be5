/** One plugin: what it is, what it may do, what uses it. */
import { Button, Tabs } from '@mantine/core';
import { IconArrowLeft, IconExternalLink, IconPuzzleOff } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import type { CatalogueEntry, PluginDetail, PluginKind } from '../../../gateway-core/protocol/model.ts';
import { useCall } from '../../app/gateway.ts';
import { texts } from '../../app/texts.ts';
import { useUrlState } from '../../app/url-state.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Loading } from '../../components/loading.tsx';
import { PluginIcon } from '../../components/plugin-icon.tsx';
import { AddButtons } from './add-buttons.tsx';
import { kindsOf, sectionOf, titleOf } from './catalogue.ts';
import { ErrorsTab, PermissionsTab, ReferenceTab, VersionsTab } from './detail-tabs.tsx';
import { InstanceEditor } from './instance-editor.tsx';
import { InstancesTab } from './instances-tab.tsx';
import { Markdown, safeLink } from './markdown.tsx';
import { madeBy } from './words.ts';
import styles from './plugins.module.css';

const TABS = ['instances', 'readme', 'config', 'permissions', 'versions', 'errors'] as const;

export function PluginPage({ name, entries }: { name: string; entries: readonly CatalogueEntry[] }) {
  const t = texts.plugins;
  const url = useUrlState();
  const entry = entries.find((candidate) => candidate.name === name);
  const loaded = useCall('plugins.get', entry === undefined ? undefined : { name });
  if (entry === undefined) {
    return (
      <EmptyState
        icon={<IconPuzzleOff size={34} />}
        title={t.notFound(name)}
        action={
          <Button component={Link} href="/plugins">
            {t.back}
          </Button>
        }
      >
        {t.notFoundText}
      </EmptyState>
    );
  }
  const detail = loaded.value;
  const edit = url.get('edit');
  const add = url.get('add');
  const leave = (): void => url.set({ edit: undefined, add: undefined });
  if (edit !== '')
    return <InstanceEditor key={`edit ${edit}`} entry={entry} target={{ mode: 'edit', name: edit }} leave={leave} />;
  const kind = kindsOf(entry).find((candidate) => candidate === add && sectionOf[candidate] !== undefined);
  if (kind !== undefined) {
    return <InstanceEditor key={`add ${kind}`} entry={entry} target={{ mode: 'add', kind }} leave={leave} />;
  }
  const tab =
    TABS.find((candidate) => candidate === url.get('tab')) ?? (entry.instances.length > 0 ? 'instances' : 'readme');
  return (
    <div className={styles.page}>
      <Heading entry={entry} add={(chosen) => url.set({ add: chosen, tab: 'instances' })} />
      {entry.problem !== undefined && (
        <ErrorPanel
          compact
          error={{ code: entry.problem.code, message: entry.problem.message, remedy: entry.problem.remedy }}
        />
      )}
      <Tabs
        value={tab}
        keepMounted={false}
        onChange={(next) => url.set({ tab: next ?? undefined })}
        classNames={{ panel: styles.tabPanel }}
      >
        <Tabs.List>
          {TABS.map((id) => (
            <Tabs.Tab key={id} value={id}>
              {t.tabs[id]}
              {id === 'instances' && entry.instances.length > 0 && (
                <span className={styles.tabCount}>{entry.instances.length}</span>
              )}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="instances">
          <InstancesTab
            entry={entry}
            edit={(instance) => url.set({ edit: instance, tab: 'instances' })}
            add={(chosen) => url.set({ add: chosen, tab: 'instances' })}
          />
        </Tabs.Panel>
        <Tabs.Panel value="readme">
          <Detail detail={detail} loaded={loaded}>
            {(known) =>
              known.readme.trim() === '' ? <p className={styles.dim}>{t.noReadme}</p> : <Markdown text={known.readme} />
            }
          </Detail>
        </Tabs.Panel>
        <Tabs.Panel value="config">
          <ReferenceTab entry={entry} />
        </Tabs.Panel>
        <Tabs.Panel value="versions">
          <VersionsTab entry={entry} />
        </Tabs.Panel>
        <Tabs.Panel value="permissions">
          <Detail detail={detail} loaded={loaded}>
            {(known) => <PermissionsTab detail={known} />}
          </Detail>
        </Tabs.Panel>
        <Tabs.Panel value="errors">
          <ErrorsTab entry={entry} />
        </Tabs.Panel>
      </Tabs>
    </div>
  );
}

function Detail({
  detail,
  loaded,
  children,
}: {
  detail: PluginDetail | undefined;
  loaded: ReturnType<typeof useCall<'plugins.get'>>;
  children: (detail: PluginDetail) => ReactNode;
}) {
  if (detail !== undefined) return children(detail);
  if (loaded.error !== undefined) return <ErrorPanel error={loaded.error} retry={loaded.reload} />;
  return <Loading />;
}

function Heading({ entry, add }: { entry: CatalogueEntry; add: (kind: PluginKind) => void }) {
  const t = texts.plugins;
  const { manifest } = entry;
  const kinds = kindsOf(entry);
  const website = manifest.homepage === undefined ? undefined : safeLink(manifest.homepage);
  return (
    <header className={styles.detailHead}>
      <Link href="/plugins" className={styles.back}>
        <IconArrowLeft size={15} aria-hidden /> {t.back}
      </Link>
      <div className={styles.detailTitle}>
        <span className={styles.icon}>
          <PluginIcon icon={manifest.icon ?? ''} kind={kinds[0]} size={24} />
        </span>
        <div>
          <h1>{titleOf(entry)}</h1>
          <p className={styles.dim}>{manifest.description}</p>
        </div>
        <span className={styles.spring} />
        {entry.problem === undefined && <AddButtons kinds={kinds} add={add} />}
      </div>
      <p className={styles.facts}>
        <code>{entry.name}</code>
        <span>{entry.version}</span>
        <span>{t.stabilities[manifest.stability]}</span>
        {kinds.map((kind) => (
          <span key={kind} className={styles.kind} data-kind={kind}>
            {texts.common.kinds[kind]}
          </span>
        ))}
        <span>{t.by(madeBy(entry))}</span>
        <span>{t.origins[entry.origin]}</span>
        <span>{manifest.license}</span>
        {website !== undefined && (
          <a href={website} target="_blank" rel="noopener noreferrer">
            {t.homepage} <IconExternalLink size={13} aria-hidden />
          </a>
        )}
      </p>
    </header>
  );
}
