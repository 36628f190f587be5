/** Where a new instance goes: nowhere yet, into pipelines there are, or into one of its own. */
import { Checkbox, MultiSelect, Radio, TextInput } from '@mantine/core';
import type { GatewayConfig, Section } from '../../../gateway-core/protocol/model.ts';
import { texts } from '../../app/texts.ts';
import type { Joining, JoiningFault } from './instance-edits.ts';
import styles from './plugins.module.css';

interface Props {
  readonly config: GatewayConfig;
  readonly section: Exclude<Section, 'executors'>;
  readonly joining: Joining;
  readonly fault: JoiningFault | undefined;
  readonly onChange: (joining: Joining) => void;
}

export function JoinForm({ config, section, joining, fault, onChange }: Props) {
  const t = texts.plugins.editor;
  const pipelines = Object.entries(config.pipelines ?? {});
  const { fresh } = joining;
  const setFresh = (change: Partial<Joining['fresh']>): void =>
    onChange({ ...joining, fresh: { ...fresh, ...change } });
  const kind = ({ sources: 'source', handlers: 'handler', sinks: 'sink' } as const)[section];
  return (
    <fieldset className={styles.join}>
      <legend>
        <h2>{t.connect}</h2>
      </legend>
      <Radio.Group
        aria-label={t.connect}
        value={joining.mode}
        onChange={(mode) => onChange({ ...joining, mode: mode as Joining['mode'] })}
      >
        <div className={styles.radios}>
          <Radio value="none" label={t.notConnected} />
          {pipelines.length > 0 && <Radio value="existing" label={t.existing} />}
          <Radio value="fresh" label={t.fresh} />
        </div>
      </Radio.Group>
      {joining.mode === 'existing' && (
        <div className={styles.stackTight}>
          <p className={styles.dim}>{t.connectHelp[kind]}</p>
          {pipelines.map(([name, pipeline]) => (
            <Checkbox
              key={name}
              label={
                <>
                  <strong>{name}</strong>{' '}
                  <span className={styles.dim}>
                    {[pipeline.from.join(', '), ...(pipeline.through ?? []), pipeline.to.join(', ')].join(' → ')}
                  </span>
                </>
              }
              checked={joining.pipelines.includes(name)}
              onChange={(event) =>
                onChange({
                  ...joining,
                  pipelines: event.currentTarget.checked
                    ? [...joining.pipelines, name]
                    : joining.pipelines.filter((other) => other !== name),
                })
              }
            />
          ))}
        </div>
      )}
      {joining.mode === 'fresh' && (
        <div className={styles.joinFresh}>
          <TextInput
            label={t.pipelineName}
            value={fresh.name}
            error={fault === 'shape' ? t.nameShape : fault === 'taken' ? t.pipelineTaken : undefined}
            onChange={(event) => setFresh({ name: event.currentTarget.value })}
          />
          {section !== 'sources' && (
            <MultiSelect
              size="xs"
              label={t.from}
              data={Object.keys(config.sources ?? {})}
              value={[...fresh.from]}
              onChange={(from) => setFresh({ from })}
            />
          )}
          <MultiSelect
            size="xs"
            label={t.through}
            data={Object.keys(config.handlers ?? {})}
            value={[...fresh.through]}
            onChange={(through) => setFresh({ through })}
          />
          {section !== 'sinks' && (
            <MultiSelect
              size="xs"
              label={t.to}
              data={Object.keys(config.sinks ?? {})}
              value={[...fresh.to]}
              onChange={(to) => setFresh({ to })}
            />
          )}
        </div>
      )}
      {fault !== undefined && fault !== 'shape' && fault !== 'taken' && (
        <p className={styles.dim} role="status">
          {{ choose: t.choosePipelines, name: t.nameEmpty, source: t.needsSource, sink: t.needsSink }[fault]}
        </p>
      )}
    </fieldset>
  );
}
