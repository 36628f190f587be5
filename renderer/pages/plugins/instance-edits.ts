/** From what the editor holds to edits of the config, and back onto a newer config. Pure. */
import type {
  ConfigEdit,
  Custody,
  GatewayConfig,
  InstanceConfig,
  Section,
} from '../../../gateway-core/protocol/model.ts';
import { texts } from '../../app/texts.ts';
import { editsBetween, isPlainObject, setAt, unsetAt } from '../../components/form/value-path.ts';
import { joinEdits, type Placed } from './catalogue.ts';

export interface InstanceDraft {
  readonly config: unknown;
  /** `expect` and `buffer`. */
  readonly around: unknown;
}

export function readInstance(config: GatewayConfig, { section, name }: Placed): InstanceDraft | undefined {
  const instance = config[section]?.[name];
  if (instance === undefined) return undefined;
  const { expect, buffer } = instance;
  return {
    config: instance.config ?? {},
    around: { ...(expect === undefined ? {} : { expect }), ...(buffer === undefined ? {} : { buffer }) },
  };
}

/** What changed, as edits; `config: {}` that was never written stays unwritten. */
export function changeEdits(config: GatewayConfig, placed: Placed, draft: InstanceDraft): readonly ConfigEdit[] {
  const before = readInstance(config, placed);
  if (before === undefined) return [];
  const path = [placed.section, placed.name];
  const written = config[placed.section]?.[placed.name]?.config;
  const edits = editsBetween(before.config, draft.config, [...path, 'config']);
  const configEdits: ConfigEdit[] =
    written === undefined && edits.length > 0 ? [{ op: 'set', path: [...path, 'config'], value: draft.config }] : edits;
  return [...configEdits, ...editsBetween(before.around, draft.around, path)];
}

export interface Joining {
  readonly mode: 'none' | 'existing' | 'fresh';
  readonly pipelines: readonly string[];
  readonly fresh: {
    readonly name: string;
    readonly from: readonly string[];
    readonly through: readonly string[];
    readonly to: readonly string[];
  };
}

export const NOT_JOINED: Joining = { mode: 'none', pipelines: [], fresh: { name: '', from: [], through: [], to: [] } };

export function addEdits(
  config: GatewayConfig,
  placed: Placed,
  plugin: string,
  draft: InstanceDraft,
  joining: Joining,
): readonly ConfigEdit[] {
  const { section, name } = placed;
  const instance: InstanceConfig = {
    plugin,
    ...(isPlainObject(draft.config) && Object.keys(draft.config).length === 0
      ? {}
      : { config: draft.config as Record<string, unknown> }),
    ...(isPlainObject(draft.around) ? draft.around : {}),
  };
  const edits: ConfigEdit[] = [{ op: 'set', path: [section, name], value: instance }];
  if (joining.mode === 'existing') return [...edits, ...joinEdits(config, placed, joining.pipelines)];
  if (joining.mode === 'none') return edits;
  const { fresh } = joining;
  const with_ = (own: Section, others: readonly string[]) => (section === own ? [...others, name] : others);
  const through = with_('handlers', fresh.through);
  const pipeline = {
    from: with_('sources', fresh.from),
    ...(through.length > 0 ? { through } : {}),
    to: with_('sinks', fresh.to),
  };
  return [...edits, { op: 'set', path: ['pipelines', fresh.name], value: pipeline }];
}

export type JoiningFault = 'choose' | 'name' | 'shape' | 'taken' | 'source' | 'sink';

export function checkJoining(config: GatewayConfig, section: Section, joining: Joining): JoiningFault | undefined {
  if (joining.mode === 'existing') return joining.pipelines.length === 0 ? 'choose' : undefined;
  if (joining.mode === 'none') return undefined;
  const { fresh } = joining;
  if (fresh.name === '') return 'name';
  if (!/^[a-z0-9_-]+$/.test(fresh.name)) return 'shape';
  if (Object.hasOwn(config.pipelines ?? {}, fresh.name)) return 'taken';
  if (section !== 'sources' && fresh.from.length === 0) return 'source';
  if (section !== 'sinks' && fresh.to.length === 0) return 'sink';
  return undefined;
}

/** The draft's own changes on top of a newer config: what others changed elsewhere stays theirs. */
export function rebase(
  older: GatewayConfig,
  newer: GatewayConfig,
  placed: Placed,
  draft: InstanceDraft,
): InstanceDraft | undefined {
  const from = readInstance(older, placed);
  const onto = readInstance(newer, placed);
  if (from === undefined || onto === undefined) return undefined;
  return {
    config: replay(from.config, draft.config, onto.config),
    around: replay(from.around, draft.around, onto.around),
  };
}

function replay(from: unknown, to: unknown, onto: unknown): unknown {
  return replayEdits(onto, editsBetween(from, to, []));
}

function replayEdits(onto: unknown, edits: readonly ConfigEdit[]): unknown {
  return edits.reduce<unknown>(
    (value, edit) => (edit.op === 'set' ? setAt(value, edit.path, edit.value) : unsetAt(value, edit.path)),
    onto,
  );
}

/** The config as the engine has it once these edits are applied. */
export function applyEdits(config: GatewayConfig, edits: readonly ConfigEdit[]): GatewayConfig {
  return replayEdits(config, edits) as GatewayConfig;
}

/**
 * What surrounds a config, as a form of its own; the same words as in docs/config. A sink's defaults follow from
 * its custody: what a peer confirms must be able to wait for it on disk.
 */
export function aroundSchema(section: Section, custody?: Custody): Record<string, unknown> | undefined {
  const t = texts.plugins.around;
  if (section === 'sources') {
    return {
      type: 'object',
      additionalProperties: false,
      properties: {
        expect: {
          type: 'object',
          title: t.expect,
          description: t.expectHelp,
          required: ['every'],
          properties: {
            every: { type: 'string', title: t.every, format: 'duration', examples: ['30s', '5m'] },
          },
        },
      },
    };
  }
  if (section === 'sinks') {
    const kind = custody === 'remote' ? 'disk' : 'memory';
    return {
      type: 'object',
      additionalProperties: false,
      properties: {
        buffer: {
          type: 'object',
          title: t.buffer,
          description: `${t.bufferHelp} ${t.bufferDefault[kind]}`,
          properties: {
            kind: {
              title: t.keptIn,
              default: kind,
              oneOf: [
                { const: 'memory', title: t.memory, description: t.memoryHelp },
                { const: 'disk', title: t.disk, description: t.diskHelp },
              ],
            },
            max: {
              type: 'string',
              title: t.max,
              description: t.maxHelp,
              format: 'size',
              examples: ['256MiB', '10GiB'],
            },
            whenFull: {
              title: t.whenFull,
              default: 'block',
              oneOf: [
                { const: 'block', title: t.block, description: t.blockHelp },
                { const: 'dropNewest', title: t.dropNewest, description: t.dropNewestHelp },
                { const: 'dropOldest', title: t.dropOldest, description: t.dropOldestHelp },
              ],
            },
          },
        },
      },
    };
  }
  return undefined;
}
