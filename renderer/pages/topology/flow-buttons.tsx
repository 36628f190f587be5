/** Pause, resume, drain and purge, of a pipeline or of a sink. */
import { ActionIcon, Button, Tooltip } from '@mantine/core';
import { IconDropletDown, IconPlayerPause, IconPlayerPlay, IconTrashX, type Icon } from '@tabler/icons-react';
import { useRef, useState } from 'react';
import type { WireError } from '../../../gateway-core/protocol/frames.ts';
import type { PipelineStatus } from '../../../gateway-core/protocol/model.ts';
import { count } from '../../app/format.ts';
import { useAction, useClient, useMayChange, useStatusValue } from '../../app/gateway.ts';
import { texts } from '../../app/texts.ts';
import { asWireError } from '../../app/wire-errors.ts';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { PurgeDialog } from './purge-dialog.tsx';
import { waitingBefore } from './spool-view.ts';
import styles from './topology.module.css';

const t = texts.spools;

/** All of them, with what came of it below. */
export function PipelineButtons({ name, state }: { name: string; state: PipelineStatus['state'] | undefined }) {
  const off = state === undefined || state === 'disabled' || state === 'stopped';
  return (
    <Buttons
      name={name}
      of="pipeline"
      paused={state === 'paused'}
      off={off}
      pauseTitle={t.pauseOf(name)}
      drainTitle={t.drainOf(name)}
      drainedText={state === 'paused' ? t.drained(name) : ''}
      drainingText=""
    />
  );
}

export function SinkButtons({ name, enabled }: { name: string; enabled: boolean }) {
  const paused = useStatusValue((report) => report?.sinks[name]?.paused) ?? false;
  const waiting = useStatusValue((report) => {
    const sink = report?.sinks[name];
    return sink === undefined ? 0 : waitingBefore(sink);
  });
  return (
    <Buttons
      name={name}
      of="sink"
      paused={paused}
      off={!enabled}
      pauseTitle={t.pauseSink(name)}
      drainTitle={t.drainSink(name)}
      drainedText={t.drainedSink(name)}
      drainingText={t.draining(count(waiting))}
    />
  );
}

type Drain = 'no' | 'draining' | 'drained';

function Buttons({
  name,
  of,
  paused,
  off,
  pauseTitle,
  drainTitle,
  drainedText,
  drainingText,
}: {
  name: string;
  of: 'pipeline' | 'sink';
  paused: boolean;
  off: boolean;
  pauseTitle: string;
  drainTitle: string;
  drainedText: string;
  drainingText: string;
}) {
  const client = useClient();
  const mayChange = useMayChange();
  const pause = useAction('flow.pause');
  const resume = useAction('flow.resume');
  const [drain, setDrain] = useState<Drain>('no');
  const [drainError, setDrainError] = useState<WireError>();
  const [purging, setPurging] = useState(false);
  const [purged, setPurged] = useState<number>();
  /** Which drain is the last one: an older one that ends late has nothing to say. */
  const round = useRef(0);
  const disabled = off || !mayChange;
  const readOnly = mayChange ? undefined : texts.plugins.readOnly;
  const error = pause.error ?? resume.error ?? drainError;

  const forget = (): void => {
    round.current++;
    setDrain('no');
    setDrainError(undefined);
    setPurged(undefined);
  };
  const toggle = (act: typeof pause | typeof resume): void => {
    forget();
    pause.clear();
    resume.clear();
    void act.run({ name });
  };
  const runDrain = async (): Promise<void> => {
    forget();
    const mine = round.current;
    setDrain('draining');
    try {
      await client.call('flow.drain', { name });
      if (mine === round.current) setDrain('drained');
    } catch (thrown) {
      if (mine !== round.current) return;
      setDrain('no');
      setDrainError(asWireError(thrown));
    }
  };

  // A sink that was drained is not paused itself: what leads to it is, and resuming it resumes that too.
  const drainedSink = of === 'sink' && drain === 'drained';
  return (
    <>
      <div className={styles.buttons}>
        {of === 'sink' && drain === 'draining' ? (
          <Act
            icon={IconPlayerPlay}
            label={t.stopDraining}
            title={readOnly}
            disabled={disabled}
            run={() => toggle(resume)}
          />
        ) : paused || drainedSink ? (
          <Act
            icon={IconPlayerPlay}
            label={t.resume}
            said={t.resumeOf(name)}
            title={readOnly}
            disabled={disabled}
            run={() => toggle(resume)}
          />
        ) : (
          <Act
            icon={IconPlayerPause}
            label={t.pause}
            said={t.pauseOf(name)}
            title={readOnly ?? pauseTitle}
            disabled={disabled}
            run={() => toggle(pause)}
          />
        )}
        <Act
          icon={IconDropletDown}
          label={t.drain}
          said={drainTitle}
          title={readOnly ?? drainTitle}
          disabled={disabled}
          loading={drain === 'draining'}
          run={() => void runDrain()}
        />
        <Act
          icon={IconTrashX}
          label={t.purge}
          said={t.purgeOf(name)}
          title={readOnly ?? t.purgeOf(name)}
          disabled={disabled}
          danger
          run={() => {
            setPurged(undefined);
            setPurging(true);
          }}
        />
      </div>
      <p role="status" className={styles.dim}>
        {purged !== undefined
          ? t.purged(count(purged))
          : drain === 'drained'
            ? drainedText
            : drain === 'draining'
              ? drainingText
              : ''}
      </p>
      {error !== undefined && <ErrorPanel compact error={error} />}
      {purging && <PurgeDialog name={name} of={of} close={() => setPurging(false)} done={setPurged} />}
    </>
  );
}

function Act({
  icon: ActIcon,
  label,
  said,
  title,
  disabled,
  loading = false,
  danger = false,
  run,
}: {
  icon: Icon;
  label: string;
  said?: string;
  title: string | undefined;
  disabled: boolean;
  loading?: boolean;
  danger?: boolean;
  run: () => void;
}) {
  return (
    <Button
      variant="default"
      {...(said === undefined ? {} : { 'aria-label': said })}
      {...(title === undefined ? {} : { title })}
      disabled={disabled}
      loading={loading}
      leftSection={<ActIcon size={15} aria-hidden />}
      className={danger ? styles.danger : undefined}
      onClick={run}
    >
      {label}
    </Button>
  );
}

/** Pause and resume of a pipeline, as an icon. */
export function PauseButton({ name, state }: { name: string; state: PipelineStatus['state'] | undefined }) {
  const mayChange = useMayChange();
  const pause = useAction('flow.pause');
  const resume = useAction('flow.resume');
  const paused = state === 'paused';
  const error = pause.error ?? resume.error;
  const said = paused ? t.resumeOf(name) : t.pauseOf(name);
  const PauseIcon = paused ? IconPlayerPlay : IconPlayerPause;
  return (
    <>
      <Tooltip label={mayChange ? said : texts.plugins.readOnly}>
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={said}
          disabled={!mayChange || state === undefined || state === 'disabled' || state === 'stopped'}
          onClick={() => void (paused ? resume : pause).run({ name })}
        >
          <PauseIcon size={15} />
        </ActionIcon>
      </Tooltip>
      {error !== undefined && <ErrorPanel compact error={error} />}
    </>
  );
}
