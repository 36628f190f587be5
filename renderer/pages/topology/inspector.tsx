/** What is selected, with its figures and what can be done about it. */
import { ActionIcon, Button, Tooltip } from '@mantine/core';
import {
  IconActivity,
  IconAlertTriangle,
  IconCheck,
  IconMailX,
  IconHourglassHigh,
  IconPower,
  IconRefresh,
  IconSettings,
  IconX,
} from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import type { Topology, TopologyNode } from '../../../gateway-core/protocol/model.ts';
import { count } from '../../app/format.ts';
import { useAction, useDeadLettersValue, useMayChange, useStatusValue } from '../../app/gateway.ts';
import { byUrgency } from '../../app/needs.ts';
import { texts } from '../../app/texts.ts';
import { href, useUrlState } from '../../app/url-state.ts';
import { Ago } from '../../components/ago.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { withCode } from '../../components/form/with-code.tsx';
import { PluginIcon } from '../../components/plugin-icon.tsx';
import { Rate } from '../../components/rate.tsx';
import { LoadBar } from '../../components/load-bar.tsx';
import { Since } from '../../components/since.tsx';
import { StateDot } from '../../components/state-dot.tsx';
import { pluginName, sectionOf } from '../plugins/catalogue.ts';
import { BlockedNote } from './blocked-note.tsx';
import { PauseButton, PipelineButtons } from './flow-buttons.tsx';
import { bottleneckAt, pipelineShape, pipelinesOf } from './graph.ts';
import { SinkBuffer } from './sink-buffer.tsx';
import { StepLedger } from './step-ledger.tsx';
import styles from './topology.module.css';

const t = texts.topology;

export function Inspector({ topology }: { topology: Topology }) {
  const url = useUrlState();
  const name = url.get('select');
  const edge = url.get('edge');
  if (name === '' && edge === '') return null;
  const close = (): void => url.set({ select: undefined, edge: undefined });
  const node = topology.nodes.find((candidate) => candidate.name === name);
  const pipelines = [
    ...new Set(
      topology.edges.filter((candidate) => `${candidate.from}>${candidate.to}` === edge).map((found) => found.pipeline),
    ),
  ].sort((a, b) => a.localeCompare(b));
  return (
    <aside className={styles.inspector} aria-label={t.inspector}>
      {node !== undefined ? (
        <InstanceInspector key={name} node={node} topology={topology} close={close} />
      ) : pipelines.length > 0 ? (
        <>
          <Head title={edge.split('>').join(' → ')} close={close} />
          {pipelines.map((pipeline) => (
            <PipelineInspector key={pipeline} name={pipeline} topology={topology} />
          ))}
        </>
      ) : (
        <>
          <Head title={name === '' ? edge : name} close={close} />
          <p className={styles.dim}>{t.gone(name === '' ? edge : name)}</p>
        </>
      )}
    </aside>
  );
}

function Head({ title, icon, close }: { title: string; icon?: ReactNode; close: () => void }) {
  return (
    <header className={styles.inspectorHead}>
      {icon}
      <h2>{title}</h2>
      <Tooltip label={t.close}>
        <ActionIcon variant="subtle" color="gray" aria-label={t.close} onClick={close}>
          <IconX size={16} />
        </ActionIcon>
      </Tooltip>
    </header>
  );
}

function InstanceInspector({ node, topology, close }: { node: TopologyNode; topology: Topology; close: () => void }) {
  const { name, kind } = node;
  const status = useStatusValue((report) => report?.instances[name]);
  const needs = (useStatusValue((report) => report?.needsYou) ?? []).filter((item) => item.subject === name);
  const letters = useDeadLettersValue((known) => known?.instances[name]) ?? 0;
  const heldUp = useStatusValue((report) => bottleneckAt(report, name));
  const mayChange = useMayChange();
  const restart = useAction('instance.restart');
  const toggle = useAction('config.edit');
  const section = sectionOf[kind];
  const pipelines = pipelinesOf(topology, name);
  const state = node.enabled ? (status?.state ?? 'unknown') : 'disabled';
  const error = restart.error ?? toggle.error;
  const act = node.enabled ? t.disable : t.enable;
  return (
    <>
      <Head title={name} icon={<PluginIcon icon={node.icon} kind={kind} />} close={close} />
      <p className={styles.dim}>
        {texts.common.kinds[kind]} · {node.title}
      </p>
      <div className={styles.stateLine}>
        <StateDot state={state} label />
        {status !== undefined && state !== 'disabled' && (
          <strong>
            <Rate value={status.ratePerSecond} />
          </strong>
        )}
      </div>
      {status !== undefined && status.reason !== '' && state !== 'running' && needs.length === 0 && (
        <p className={styles.reason}>{status.reason}</p>
      )}
      {byUrgency(needs).map((need) => (
        <p key={need.code} className={styles.need}>
          <IconAlertTriangle size={15} aria-hidden />
          <span>
            <strong>{need.message}</strong> {withCode(need.remedy)}
            <br />
            <code>{need.code}</code> · {texts.frame.since} <Since time={need.since} />
          </span>
        </p>
      ))}
      {kind !== 'sink' && <BlockedNote pipelines={pipelines} />}
      {heldUp !== undefined && (
        <p className={styles.need}>
          <IconHourglassHigh size={15} aria-hidden />
          <span>
            {t.heldUp}: {heldUp}
          </span>
        </p>
      )}
      <div className={styles.buttons}>
        {letters > 0 && (
          <Button
            component={Link}
            href={href('/dead-letters', { instance: name })}
            variant="default"
            leftSection={<IconMailX size={15} aria-hidden />}
          >
            {t.showLetters(count(letters))}
          </Button>
        )}
        {section !== 'executors' && (
          <Button
            component={Link}
            href={href('/live', { at: name })}
            leftSection={<IconActivity size={15} aria-hidden />}
          >
            {t.tail}
          </Button>
        )}
        <Button
          variant="default"
          component={Link}
          href={href(`/plugins/${encodeURIComponent(pluginName(node.plugin))}`, { tab: 'instances', edit: name })}
          leftSection={<IconSettings size={15} aria-hidden />}
        >
          {t.configure}
        </Button>
        <Button
          variant="default"
          disabled={!mayChange || !node.enabled}
          loading={restart.pending}
          leftSection={<IconRefresh size={15} aria-hidden />}
          title={mayChange ? undefined : texts.plugins.readOnly}
          onClick={() => void restart.run({ name })}
        >
          {state === 'failed' || state === 'retrying' ? texts.spools.tryAgain : t.restart}
        </Button>
        {section !== undefined && (
          <Button
            variant="default"
            disabled={!mayChange}
            title={mayChange ? undefined : texts.plugins.readOnly}
            loading={toggle.pending}
            leftSection={<IconPower size={15} aria-hidden />}
            onClick={() =>
              void toggle.run({
                edits: [{ op: 'set', path: [section, name, 'enabled'], value: !node.enabled }],
                comment: `${node.enabled ? 'disable' : 'enable'} ${name}`,
              })
            }
          >
            {act}
          </Button>
        )}
      </div>
      {!mayChange && <p className={styles.dim}>{texts.plugins.readOnly}</p>}
      {error !== undefined && <ErrorPanel compact error={error} />}
      {kind === 'sink' && <SinkBuffer name={name} enabled={node.enabled} />}
      {status === undefined ? (
        <p className={styles.dim}>{t.noStatus}</p>
      ) : (
        <>
          <dl className={styles.facts}>
            <Fact label={t.plugin}>
              {status.plugin} {status.version}
            </Fact>
            {status.placement !== '' && <Fact label={t.placement}>{status.placement}</Fact>}
            <Fact label={t.lastMessage}>
              <Ago time={status.lastMessage} />
            </Fact>
            {status.restarts > 0 && <Fact label={t.restarts}>{count(status.restarts)}</Fact>}
            {(kind === 'source' || kind === 'handler' || kind === 'sink') && (
              <Fact label={t.load} help={t.loadHelp[kind]}>
                <LoadBar share={status.busy} />
              </Fact>
            )}
            {kind === 'source' && (
              <Fact label={t.waiting}>
                <LoadBar share={status.waiting} />
              </Fact>
            )}
          </dl>
          <h3>{t.counters}</h3>
          <StepLedger status={status} />
        </>
      )}
      {section !== 'executors' && (
        <>
          <h3>{t.pipelines}</h3>
          {pipelines.length === 0 ? (
            <p className={styles.dim}>{t.noPipelines}</p>
          ) : (
            <ul className={styles.pipelines}>
              {pipelines.map((pipeline) => (
                <li key={pipeline}>
                  <PipelineLine name={pipeline} />
                </li>
              ))}
            </ul>
          )}
        </>
      )}
    </>
  );
}

interface FactProps {
  readonly label: string;
  readonly help?: string;
  readonly bad?: boolean;
  readonly children: ReactNode;
}

function Fact({ label, help, bad = false, children }: FactProps) {
  return (
    <div title={help}>
      <dt>{label}</dt>
      <dd className={bad ? styles.bad : undefined}>{children}</dd>
    </div>
  );
}

function PipelineLine({ name }: { name: string }) {
  const state = useStatusValue((report) => report?.pipelines[name]?.state);
  const rate = useStatusValue((report) => report?.pipelines[name]?.ratePerSecond);
  return (
    <div className={styles.pipelineLine}>
      <strong>{name}</strong>
      <StateDot state={state ?? 'unknown'} label />
      <span className={styles.spring} />
      {rate !== undefined && <Rate value={rate} />}
      <PauseButton name={name} state={state} />
    </div>
  );
}

const LEDGER = ['delivered', 'filtered', 'deadLettered', 'dropped', 'spooled', 'inFlight', 'returned'] as const;

function PipelineInspector({ name, topology }: { name: string; topology: Topology }) {
  const status = useStatusValue((report) => report?.pipelines[name]);
  const shape = pipelineShape(topology, name);
  const tap = shape.sources[0];
  return (
    <section className={styles.pipeline} aria-label={`${t.pipeline} ${name}`}>
      <div className={styles.stateLine}>
        <h3>
          {t.pipeline} {name}
        </h3>
        {status !== undefined && <StateDot state={status.state} label />}
        <span className={styles.spring} />
        {status !== undefined && (
          <strong>
            <Rate value={status.ratePerSecond} />
          </strong>
        )}
      </div>
      <BlockedNote pipelines={[name]} />
      <dl className={styles.facts}>
        <Fact label={t.condition}>{shape.where === '' ? t.everyMessage : <code>{shape.where}</code>}</Fact>
      </dl>
      {status === undefined ? (
        <p className={styles.dim}>{t.noStatus}</p>
      ) : (
        <>
          <h3>{t.ledger}</h3>
          <dl className={styles.ledger}>
            <Fact label={t.ledgerRows.received}>{count(status.received)}</Fact>
            {status.carried > 0 && (
              <Fact label={t.ledgerRows.carried}>
                <span title={texts.frame.ledger.carriedText}>{count(status.carried)}</span>
              </Fact>
            )}
            {LEDGER.map((key, index) => (
              <Fact
                key={key}
                label={`${index === 0 ? '=' : '+'} ${t.ledgerRows[key]}`}
                bad={(key === 'deadLettered' || key === 'dropped') && status[key] > 0}
              >
                {count(status[key])}
              </Fact>
            ))}
          </dl>
          <p className={status.addsUp ? styles.good : styles.bad}>
            {status.addsUp ? <IconCheck size={14} aria-hidden /> : <IconAlertTriangle size={14} aria-hidden />}{' '}
            {status.addsUp ? t.addsUp : t.doesNotAddUp}
          </p>
          {!status.exact && <p className={styles.reason}>{t.notExact}</p>}
          {status.bottleneck !== null ? (
            <p className={styles.need}>
              <IconHourglassHigh size={15} aria-hidden />
              <span>
                {t.heldUp}: {status.bottleneck.reason}
              </span>
            </p>
          ) : (
            status.state === 'running' && <p className={styles.dim}>{t.notHeldUp}</p>
          )}
        </>
      )}
      <PipelineButtons name={name} state={status?.state} />
      {tap !== undefined && (
        <div className={styles.buttons}>
          <Button
            component={Link}
            href={href('/live', { at: tap })}
            leftSection={<IconActivity size={15} aria-hidden />}
          >
            {t.tail}
          </Button>
        </div>
      )}
    </section>
  );
}
