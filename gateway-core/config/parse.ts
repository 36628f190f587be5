import { isMap, isScalar, isSeq, isPair, isAlias, visit, Lexer, LineCounter, parseDocument, type Document } from 'yaml';
import type { GatewayConfig, Problem } from '../protocol/model.ts';
import { checkStructure } from './check-structure.ts';
import { isMap as isRecord } from './is-map.ts';
import { migrate, MIGRATIONS, type Migration } from './migrate.ts';
import { NO_PLACES, placed, placesOf, type Place, type Places } from './places.ts';
import { MAX_DEPTH, plainData } from './plain-data.ts';
import { capped, hasErrors, problem } from './problem.ts';
import { formatSize } from './quantity.ts';
import { CONFIG_VERSION } from './schema.ts';
import { SYNTAX_REASONS, syntaxReason } from './syntax.ts';

export interface ParseOptions {
  /** Larger texts are refused unread; bytes of UTF-8. Default 8 MiB. */
  readonly maxBytes?: number;
  /** Tests bring their own. */
  readonly migrations?: readonly Migration[];
  readonly supportedVersion?: number;
}

/** What could be read of a config text. */
export interface ParsedConfig {
  readonly text: string;
  /** In file order, each with its place. */
  readonly problems: readonly Problem[];
  /**
   * The config as plain data, of today's version. Present when the text is a map of a known
   * version; `problems` may still say that its parts are wrong: validate it only then for more of them.
   */
  readonly config: GatewayConfig | undefined;
  readonly places: Places;
}

const MAX_BYTES = 8 * 2 ** 20;
/** About 60 000 lines. The parser's time grows with its tokens: this many take it a second or two. */
const MAX_TOKENS = 400_000;

/** Reads a config text. Never throws and always ends; the text may be anything. */
export function parseConfig(text: string, options: ParseOptions = {}): ParsedConfig {
  const maxBytes = options.maxBytes ?? MAX_BYTES;
  if (text.length > maxBytes || (text.length * 3 > maxBytes && Buffer.byteLength(text) > maxBytes)) {
    const size = formatSize(Buffer.byteLength(text));
    return refused('', [at(problem('PB_CONFIG_TOO_LARGE', { size, limit: formatSize(maxBytes) }, []), START)]);
  }
  // A byte order mark would shift the columns of the first line.
  const bare = text.startsWith('\uFEFF') ? text.slice(1) : text;

  const guarded = guardTokens(bare);
  if (guarded !== undefined) return refused(text, [guarded]);

  const lines = new LineCounter();
  const document: Document = parseDocument(bare, {
    version: '1.2',
    schema: 'core',
    // The parser looks for duplicates in quadratic time; `keyProblems` does it in linear time.
    uniqueKeys: false,
    prettyErrors: false,
    // With `silent` a second document would pass unnoticed.
    logLevel: 'error',
    lineCounter: lines,
  });
  const places = placesOf(document, lines);
  const problems: Problem[] = [];
  const seenLines = new Set<number>();
  for (const error of [...document.errors, ...document.warnings]) {
    const { line, col } = lines.linePos(error.pos[0]);
    const deep = error.code === 'RESOURCE_EXHAUSTION';
    // The second error of a line is nearly always a consequence of the first.
    if (seenLines.has(line) && !deep) continue;
    seenLines.add(line);
    const one = deep
      ? problem('PB_CONFIG_TOO_DEEP', {}, [])
      : problem('PB_CONFIG_SYNTAX', { reason: syntaxReason(error) }, []);
    problems.push(at(one, { line: Math.max(line, 1), column: Math.max(col, 1) }));
    if (deep) return refused(text, problems.slice(-1), places);
  }
  if (problems.length > 0) return refused(text, problems, places);

  problems.push(...keyProblems(document, lines));
  if (problems.length > 0) return refused(text, problems, places);

  let raw: unknown;
  try {
    raw = document.toJS({ maxAliasCount: 100 });
  } catch {
    return refused(text, [aliasProblem(document, lines)], places);
  }
  const plain = plainData(raw);
  if ('fault' in plain) {
    const code = ({ depth: 'PB_CONFIG_TOO_DEEP', size: 'PB_CONFIG_ALIASES', key: 'PB_CONFIG_KEY' } as const)[
      plain.fault
    ];
    return refused(text, [placed(problem(code, {}, plain.path.slice(0, 20)), places, 'key')], places);
  }
  return structured(text, plain.data, places, options);
}

function structured(text: string, data: unknown, places: Places, options: ParseOptions): ParsedConfig {
  const supported = options.supportedVersion ?? CONFIG_VERSION;
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    const found = data === null || data === undefined ? 'empty' : Array.isArray(data) ? 'a list' : 'a single value';
    return refused(text, [at(problem('PB_CONFIG_NOT_MAP', { found }, []), places.at([]) ?? START)], places);
  }
  const map = data as Record<string, unknown>;
  const { version } = map;
  if (typeof version !== 'number' || !Number.isInteger(version) || version < 1) {
    const path = 'version' in map ? ['version'] : [];
    return refused(text, [placed(problem('PB_CONFIG_VERSION', { supported }, path), places)], places);
  }
  if (version > supported) {
    return refused(text, [placed(problem('PB_CONFIG_NEWER', { version, supported }, ['version']), places)], places);
  }
  const current = migrate(map, version, supported, options.migrations ?? MIGRATIONS);
  if (current === undefined) {
    return refused(text, [placed(problem('PB_CONFIG_VERSION', { supported }, ['version']), places)], places);
  }
  const config = withoutEmpty(current);
  return { text, problems: capped(checkStructure(config, places)), config: config as unknown as GatewayConfig, places };
}

/** True when the text could be read and its form is right: `validateConfig` may resolve it. */
export function isUsable(parsed: ParsedConfig): parsed is ParsedConfig & { readonly config: GatewayConfig } {
  return parsed.config !== undefined && !hasErrors(parsed.problems);
}

const START: Place = { line: 1, column: 1 };

function at(one: Problem, place: Place): Problem {
  return { ...one, ...place };
}

function refused(text: string, problems: readonly Problem[], places: Places = NO_PLACES): ParsedConfig {
  return { text, problems: capped(problems), config: undefined, places };
}

/**
 * Refuses before parsing what would take the parser too long: too many tokens, and explicit
 * keys (`? key`), for which its time doubles with each that is nested. No config needs them.
 */
function guardTokens(text: string): Problem | undefined {
  let tokens = 0;
  let offset = 0;
  for (const token of new Lexer().lex(text)) {
    // The lexer marks documents and plain text with control characters that are not in the text.
    const mark = token === '\u0002' || token === '\u0018' || token === '\u001f';
    if (token === '?') {
      const place = placeOf(text, offset);
      return at(problem('PB_CONFIG_SYNTAX', { reason: 'keys are written as `key: value`, not with `?`' }, []), place);
    }
    if (!mark) offset += token.length;
    if (++tokens > MAX_TOKENS) {
      const limit = `${MAX_TOKENS} words and signs`;
      return at(problem('PB_CONFIG_TOO_LARGE', { size: `more than ${limit}`, limit }, []), placeOf(text, offset));
    }
  }
  return undefined;
}

function placeOf(text: string, offset: number): Place {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  let line = 1;
  for (let i = before.indexOf('\n'); i !== -1; i = before.indexOf('\n', i + 1)) line++;
  return { line, column: offset - lineStart + 1 };
}

/** Why the aliases of a document cannot be followed: one has no anchor before it, or they unfold too far. */
function aliasProblem(document: Document, lines: LineCounter): Problem {
  const anchors = new Set<string>();
  let unknown: unknown;
  visit(document, {
    Node(_key, node) {
      if (isAlias(node)) {
        if (anchors.has(node.source)) return undefined;
        unknown = node;
        return visit.BREAK;
      }
      if (typeof node.anchor === 'string') anchors.add(node.anchor);
      return undefined;
    },
  });
  if (unknown === undefined) return at(problem('PB_CONFIG_ALIASES', {}, []), START);
  return atNode(problem('PB_CONFIG_SYNTAX', { reason: SYNTAX_REASONS.BAD_ALIAS }, []), unknown, lines);
}

/** Keys that are twice in a map, and keys that are no text. Also bounds the depth, without recursion. */
function keyProblems(document: Document, lines: LineCounter): Problem[] {
  const problems: Problem[] = [];
  const waiting: { node: unknown; path: (string | number)[] }[] = [{ node: document.contents, path: [] }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node, path } = next;
    if (path.length > MAX_DEPTH) {
      problems.push(atNode(problem('PB_CONFIG_TOO_DEEP', {}, path.slice(0, 20)), node, lines));
      return problems;
    }
    if (isSeq(node)) {
      for (const [index, item] of node.items.entries())
        if (!isScalar(item)) waiting.push({ node: item, path: [...path, index] });
    }
    if (!isMap(node)) continue;
    const seen = new Map<string, unknown>();
    for (const pair of node.items) {
      if (!isPair(pair)) continue;
      const key: unknown = pair.key;
      if (!isScalar(key) || key.value === null || key.value === '__proto__') {
        problems.push(atNode(problem('PB_CONFIG_KEY', {}, path), key ?? pair.value ?? node, lines));
        continue;
      }
      const name = String(key.value);
      const first = seen.get(name);
      if (first === undefined) {
        seen.set(name, key);
        if (!isScalar(pair.value)) waiting.push({ node: pair.value, path: [...path, name] });
      } else {
        const details = { key: name.slice(0, 100), first: lineOf(first, lines) };
        problems.push(atNode(problem('PB_CONFIG_DUPLICATE_KEY', details, [...path, name]), key, lines));
      }
    }
  }
  return problems;
}

function atNode(one: Problem, node: unknown, lines: LineCounter): Problem {
  const offset = isRanged(node) ? node.range[0] : 0;
  const { line, col } = lines.linePos(offset);
  return at(one, { line: Math.max(line, 1), column: Math.max(col, 1) });
}

function lineOf(node: unknown, lines: LineCounter): number {
  return isRanged(node) ? lines.linePos(node.range[0]).line : 1;
}

function isRanged(node: unknown): node is { range: [number, number, number] } {
  return typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range);
}

/** `handlers:` with nothing behind it is null in YAML and means: none. */
function withoutEmpty(config: Record<string, unknown>): Record<string, unknown> {
  const result = dropNulls(config);
  for (const section of ['sources', 'handlers', 'sinks', 'executors', 'pipelines']) {
    const members = result[section];
    if (!isRecord(members)) continue;
    result[section] = Object.fromEntries(
      Object.entries(members).map(([name, value]) => [name, isRecord(value) ? dropNulls(value) : value]),
    );
  }
  if (isRecord(result.settings)) result.settings = dropNulls(result.settings);
  return result;
}

function dropNulls(map: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(map).filter(([, value]) => value !== null));
}
