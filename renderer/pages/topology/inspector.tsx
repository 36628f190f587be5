/** What is selected, with its figures and what can be done about it. */
import { ActionIcon, Button, Tooltip } from '@mantine/core';
import {
  IconActivity,
  IconAlertTriangle,
  IconCheck,
  IconDropletDown,
  IconMailX,
  IconPlayerPause,
  IconPlayerPlay,
  IconPower,
  IconRefresh,
  IconSettings,
  IconX,
} from '@tabler/icons-react';
import { useState, type ReactNode } from 'react';
import { Link } from 'wouter';
import type { PipelineStatus, Topology, TopologyNode } from '../../../gateway-core/protocol/model.ts';
import { count, span } from '../../app/format.ts';
import { useAction, useDeadLettersValue, useMayChange, useStatusValue } from '../../app/gateway.ts';
import { texts } from '../../app/texts.ts';
import { href, useUrlState } from '../../app/url-state.ts';
import { Ago } from '../../components/ago.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { PluginIcon } from '../../components/plugin-icon.tsx';
import { Rate } from '../../components/rate.tsx';
import { StateDot } from '../../components/state-dot.tsx';
import { pluginName, sectionOf } from '../plugins/catalogue.ts';
import { fillTone, pipelineShape, pipelinesOf } from './graph.ts';
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
  const sink = useStatusValue((report) => report?.sinks[name]);
  const need = useStatusValue((report) => report?.needsYou.find((item) => item.subject === name));
  const letters = useDeadLettersValue((known) => known?.instances[name]) ?? 0;
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
      {status !== undefined && status.reason !== '' && state !== 'running' && need === undefined && (
        <p className={styles.reason}>{status.reason}</p>
      )}
      {need !== undefined && (
        <p className={styles.need}>
          <IconAlertTriangle size={15} aria-hidden />
          <span>
            {need.message} <span className={styles.dim}>{need.remedy}</span> <code>{need.code}</code> · {t.since}{' '}
            <Ago time={need.since} />
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
          onClick={() => void restart.run({ name })}
        >
          {t.restart}
        </Button>
        {section !== undefined && (
          <Button
            variant="default"
            disabled={!mayChange}
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
            {sink !== undefined && <Fact label={t.custody}>{t.custodies[sink.custody]}</Fact>}
          </dl>
          <h3>{t.counters}</h3>
          <dl className={styles.figures}>
            {kind !== 'source' && <Fact label={t.received}>{count(status.received)}</Fact>}
            {kind !== 'sink' && <Fact label={t.emitted}>{count(status.emitted)}</Fact>}
            {kind === 'handler' && <Fact label={t.filtered}>{count(status.filtered)}</Fact>}
            <Fact label={t.refusedWord} bad={status.refused > 0}>
              {count(status.refused)}
            </Fact>
          </dl>
          {sink !== undefined && (
            <>
              <h3>{t.queueTitle}</h3>
              <p>
                {count(sink.queued)}{' '}
                {sink.queueLimit > 0 && <span className={styles.dim}>{t.ofLimit(count(sink.queueLimit))}</span>}
                {sink.spooled > 0 && ` · ${t.spooled(count(sink.spooled))}`}
                {sink.oldestSeconds > 0 && <span className={styles.dim}> · {t.oldest(span(sink.oldestSeconds))}</span>}
              </p>
              {sink.queueLimit > 0 && (
                <span className={styles.queueWide} aria-hidden>
                  <span
                    data-fill={fillTone(sink.queued, sink.queueLimit)}
                    style={{ width: `${Math.min(1, sink.queued / sink.queueLimit) * 100}%` }}
                  />
                </span>
              )}
            </>
          )}
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

function Fact({ label, bad = false, children }: { label: string; bad?: boolean; children: ReactNode }) {
  return (
    <div>
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
      <PipelineButtons name={name} state={state} small />
    </div>
  );
}

/** Pause and resume; where there is room, drain. */
function PipelineButtons({
  name,
  state,
  small = false,
}: {
  name: string;
  state: PipelineStatus['state'] | undefined;
  small?: boolean;
}) {
  const mayChange = useMayChange();
  const pause = useAction('flow.pause');
  const resume = useAction('flow.resume');
  const drain = useAction('flow.drain');
  const [drained, setDrained] = useState(false);
  const paused = state === 'paused';
  const error = pause.error ?? resume.error ?? drain.error;
  const off = !mayChange || state === undefined || state === 'disabled' || state === 'stopped';
  const toggle = (): void => {
    setDrained(false);
    drain.clear();
    void (paused ? resume : pause).run({ name });
  };
  const runDrain = async (): Promise<void> => {
    setDrained((await drain.run({ name })) !== undefined);
  };
  const said = paused ? t.resumeOf(name) : t.pauseOf(name);
  const Icon = paused ? IconPlayerPlay : IconPlayerPause;
  if (small) {
    return (
      <>
        <Tooltip label={said}>
          <ActionIcon variant="subtle" color="gray" aria-label={said} disabled={off} onClick={toggle}>
            <Icon size={15} />
          </ActionIcon>
        </Tooltip>
        {error !== undefined && <ErrorPanel compact error={error} />}
      </>
    );
  }
  return (
    <>
      <div className={styles.buttons}>
        <Button
          variant="default"
          aria-label={said}
          disabled={off}
          leftSection={<Icon size={15} aria-hidden />}
          onClick={toggle}
        >
          {paused ? t.resume : t.pause}
        </Button>
        <Tooltip label={t.drainOf(name)}>
          <Button
            variant="default"
            aria-label={t.drainOf(name)}
            disabled={off}
            loading={drain.pending}
            leftSection={<IconDropletDown size={15} aria-hidden />}
            onClick={() => void runDrain()}
          >
            {t.drain}
          </Button>
        </Tooltip>
      </div>
      <p role="status" className={styles.dim}>
        {drained && paused ? t.drained(name) : ''}
      </p>
      {error !== undefined && <ErrorPanel compact error={error} />}
    </>
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
            {LEDGER.map((key, index) => (
              <Fact
                key={key}
                label={`${index === 0 ? '=' : '+'} ${t.ledgerRows[key]}`}
                bad={key === 'deadLettered' && status[key] > 0}
              >
                {count(status[key])}
              </Fact>
            ))}
          </dl>
          <p className={status.addsUp ? styles.good : styles.bad}>
            {status.addsUp ? <IconCheck size={14} aria-hidden /> : <IconAlertTriangle size={14} aria-hidden />}{' '}
            {status.addsUp ? t.addsUp : t.doesNotAddUp}
          </p>
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
