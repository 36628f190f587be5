import { ActionIcon, Button, Switch, Tooltip } from '@mantine/core';
import { IconActivity, IconPencil, IconPlugOff, IconRefresh, IconTrash } from '@tabler/icons-react';
import { useCallback, useState, type ReactNode } from 'react';
import { Link } from 'wouter';
import type { CatalogueEntry, GatewayConfig, PluginKind } from '../../../gateway-core/protocol/model.ts';
import { useAction, useCall, useChanges, useMayChange, useStatusValue } from '../../app/gateway.ts';
import { texts } from '../../app/texts.ts';
import { href } from '../../app/url-state.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Loading } from '../../components/loading.tsx';
import { Rate } from '../../components/rate.tsx';
import { StateDot } from '../../components/state-dot.tsx';
import { instancesOf, kindOf, kindsOf, pipelinesUsing, type Placed } from './catalogue.ts';
import { AddButtons } from './add-buttons.tsx';
import { RemoveDialog } from './remove-dialog.tsx';
import styles from './plugins.module.css';

interface Props {
  readonly entry: CatalogueEntry;
  readonly edit: (instance: string) => void;
  readonly add: (kind: PluginKind) => void;
}

export function InstancesTab({ entry, edit, add }: Props) {
  const t = texts.plugins;
  const document = useCall('config.get', {});
  const { reload } = document;
  useChanges(
    'config',
    useCallback(() => reload(), [reload]),
  );
  const mayChange = useMayChange();
  const [removing, setRemoving] = useState<Placed>();
  if (document.value === undefined) {
    return document.error === undefined ? <Loading /> : <ErrorPanel error={document.error} retry={reload} />;
  }
  const { config } = document.value;
  const instances = instancesOf(config, entry.name);
  if (instances.length === 0) {
    const usable = entry.problem === undefined && mayChange;
    return (
      <EmptyState
        icon={<IconPlugOff size={32} />}
        title={t.noInstances}
        {...(usable ? { action: <AddButtons kinds={kindsOf(entry)} add={add} /> } : {})}
      >
        {t.noInstancesText}
      </EmptyState>
    );
  }
  return (
    <div className={styles.stackTight}>
      {!mayChange && <p className={styles.note}>{t.readOnly}</p>}
      <ul className={styles.instances} aria-label={t.tabs.instances}>
        {instances.map((placed) => (
          <InstanceRow
            key={placed.name}
            placed={placed}
            config={config}
            mayChange={mayChange}
            edit={edit}
            remove={() => setRemoving(placed)}
          />
        ))}
      </ul>
      {removing !== undefined && (
        <RemoveDialog placed={removing} document={document.value} close={() => setRemoving(undefined)} />
      )}
    </div>
  );
}

function InstanceRow({
  placed,
  config,
  mayChange,
  edit,
  remove,
}: {
  placed: Placed;
  config: GatewayConfig;
  mayChange: boolean;
  edit: (name: string) => void;
  remove: () => void;
}) {
  const { section, name } = placed;
  const t = texts.plugins.instance;
  const toggle = useAction('config.edit');
  const restart = useAction('instance.restart');
  const state = useStatusValue((report) => report?.instances[name]?.state);
  const reason = useStatusValue((report) => report?.instances[name]?.reason) ?? '';
  const rate = useStatusValue((report) => report?.instances[name]?.ratePerSecond);
  const restarts = useStatusValue((report) => report?.instances[name]?.restarts) ?? 0;
  const enabled = config[section]?.[name]?.enabled !== false;
  const pipelines = pipelinesUsing(config, placed);
  const error = toggle.error ?? restart.error;
  return (
    <li className={styles.instance} data-instance={name}>
      <div className={styles.instanceLine}>
        <div className={styles.instanceName}>
          <Button variant="transparent" className={styles.nameButton} onClick={() => edit(name)}>
            {name}
          </Button>
          <span className={styles.small}>
            {texts.common.kinds[kindOf[section]]}
            {section !== 'executors' && ` · ${pipelines.length === 0 ? t.inNone : t.inPipelines(pipelines.join(', '))}`}
          </span>
        </div>
        <div className={styles.instanceState}>
          <StateDot state={enabled ? (state ?? 'unknown') : 'disabled'} label reason={reason} />
          {reason !== '' && enabled && state !== 'running' && <span className={styles.small}>{reason}</span>}
          {restarts > 0 && <span className={styles.small}>{t.restarts(restarts)}</span>}
        </div>
        <div className={styles.instanceRate}>{rate === undefined || !enabled ? '–' : <Rate value={rate} />}</div>
        <Switch
          checked={enabled}
          disabled={!mayChange || toggle.pending}
          aria-label={t.enable(name)}
          onChange={(event) =>
            void toggle.run({
              edits: [{ op: 'set', path: [section, name, 'enabled'], value: event.currentTarget.checked }],
              comment: `${event.currentTarget.checked ? 'enable' : 'disable'} ${name}`,
            })
          }
        />
        <div className={styles.buttons}>
          {section !== 'executors' && (
            <Tooltip label={t.tail(name)}>
              <ActionIcon
                component={Link}
                href={href('/live', { at: name })}
                variant="subtle"
                color="gray"
                aria-label={t.tail(name)}
              >
                <IconActivity size={16} />
              </ActionIcon>
            </Tooltip>
          )}
          <Act label={t.edit(name)} disabled={false} run={() => edit(name)}>
            <IconPencil size={16} />
          </Act>
          <Act
            label={t.restart(name)}
            disabled={!mayChange || !enabled || restart.pending}
            run={() => void restart.run({ name })}
          >
            <IconRefresh size={16} />
          </Act>
          <Act label={t.delete(name)} disabled={!mayChange} run={remove}>
            <IconTrash size={16} />
          </Act>
        </div>
      </div>
      {error !== undefined && <ErrorPanel compact error={error} />}
    </li>
  );
}

function Act({
  label,
  disabled,
  run,
  children,
}: {
  label: string;
  disabled: boolean;
  run: () => void;
  children: ReactNode;
}) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant="subtle" color="gray" aria-label={label} disabled={disabled} onClick={run}>
        {children}
      </ActionIcon>
    </Tooltip>
  );
}
