import type { Problem } from '../protocol/model.ts';
import { isMap } from './is-map.ts';
import { placed, type Places } from './places.ts';
import { placeText, problem, type Path } from './problem.ts';
import { parseSize } from './quantity.ts';
import { hasReference } from './reference-text.ts';
import { compileSchema } from './schema-check.ts';
import { errorPath, schemaProblems } from './schema-problems.ts';
import { configSchema } from './schema.ts';

/** What waits in memory before a sink, unless its config says otherwise. */
export const MEMORY_WINDOW_BYTES = 64 * 2 ** 20;
export const SPOOL_BYTES = 2 ** 30;
const MIN_BUFFER_BYTES = 64 * 2 ** 10;
export const MAX_MEMORY_BYTES = 2 ** 30;
/** With less, one large message would push all others out. */
const MIN_DEAD_LETTER_BYTES = 2 ** 20;

export const MEMORY_RULE = 'must be 1GiB or less, because it is memory';

type Map = Record<string, unknown>;

/**
 * Checks the form of a config: everything that can be known without plugins. References in
 * `settings` pass here and are checked again when they are resolved.
 */
export function checkStructure(config: Readonly<Map>, places: Places): Problem[] {
  // A copy, because the check fills in defaults, and what was written must stay as it is.
  const copy = structuredClone(config);
  const errors = compileSchema(configSchema)
    .check(copy)
    .filter(
      (error) => !(error.instancePath.startsWith('/settings') && hasReference(valueAt(copy, errorPath(error, copy)))),
    );
  return [
    ...schemaProblems(errors, config, []).map(({ problem: one, what }) => placed(one, places, what)),
    ...bufferProblems(config).map((one) => placed(one, places)),
    ...deadLetterProblems(config).map((one) => placed(one, places)),
    ...notYet(config).map((one) => placed(one, places, 'key')),
  ];
}

/** Keys of features that come later: accepted, with a warning that says what happens instead. */
function notYet(config: Readonly<Map>): Problem[] {
  const problems: Problem[] = [];
  const warn = (path: Path, what: string, instead: string): void => {
    problems.push(problem('PB_CONFIG_NOT_YET', { what: `'${what}'`, instead }, path, 'warning'));
  };
  for (const [key, schema] of Object.entries(configSchema.properties)) {
    if ('x-not-yet' in schema && !isEmpty(config[key])) warn([key], key, String(schema['x-not-yet']));
  }
  for (const [name, pipeline] of members(config.pipelines)) {
    if (typeof pipeline.workers === 'number' && pipeline.workers > 1) {
      warn(['pipelines', name, 'workers'], 'workers', 'the pipeline runs once');
    }
  }
  return problems;
}

function bufferProblems(config: Readonly<Map>): Problem[] {
  const problems: Problem[] = [];
  for (const [name, sink] of members(config.sinks)) {
    if (!isMap(sink.buffer) || typeof sink.buffer.max !== 'string') continue;
    const bytes = parseSize(sink.buffer.max);
    if (bytes === undefined || bytes === 0) continue;
    const path = ['sinks', name, 'buffer', 'max'];
    const value = (rule: string): void => {
      problems.push(problem('PB_CONFIG_VALUE', { place: placeText(path), rule }, path));
    };
    if (bytes < MIN_BUFFER_BYTES) value('must be 64KiB or more');
    else if (sink.buffer.kind === 'memory' && bytes > MAX_MEMORY_BYTES) value(MEMORY_RULE);
  }
  return problems;
}

function deadLetterProblems({ settings }: Readonly<Map>): Problem[] {
  const written = isMap(settings) && isMap(settings.deadLetters) ? settings.deadLetters.bytes : undefined;
  const bytes = typeof written === 'string' ? parseSize(written) : undefined;
  if (bytes === undefined || bytes === 0 || bytes >= MIN_DEAD_LETTER_BYTES) return [];
  const path = ['settings', 'deadLetters', 'bytes'];
  return [problem('PB_CONFIG_VALUE', { place: placeText(path), rule: 'must be 1MiB or more' }, path)];
}

function members(section: unknown): [string, Map][] {
  return isMap(section) ? Object.entries(section).filter((entry): entry is [string, Map] => isMap(entry[1])) : [];
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'object' && Object.keys(value).length === 0);
}

function valueAt(data: unknown, path: Path): unknown {
  let at = data;
  for (const part of path) at = typeof at === 'object' && at !== null ? (at as Map)[part] : undefined;
  return at;
}
