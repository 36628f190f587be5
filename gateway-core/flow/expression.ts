/**
 * Conditions and values over a message in CEL (https://cel.dev), the same everywhere: pipelines'
 * `where`, the filter handler, keys, taps. Visible fields: design §6, listed in {@link EXPRESSION_FIELDS}.
 */
import { isUtf8 } from 'node:buffer';
import { Environment, EvaluationError, Optional, ParseError, TypeError as CelTypeError } from '@marcbachmann/cel-js';
import type { Expression, Message, ValueExpression } from '../plugin-api/index.ts';
import type { ExpressionUse } from '../config/pipelines.ts';
import { ConfigError } from '../plugin-api/errors.ts';

export const EXPRESSION_FIELDS = [
  'id',
  'source',
  'type',
  'subject',
  'time',
  'kind',
  'severity',
  'instance',
  'project',
  'partitionkey',
  'attributes',
  'data',
] as const;

/** `type` is a name of CEL's own (the type of types); a message's is read under one of equal length, so that places stay right. */
const TYPE_FIELD = 'typ_';
const MAX_LENGTH = 4096;

const environment = new Environment({
  enableOptionalTypes: true,
  homogeneousAggregateLiterals: false,
  limits: { maxAstNodes: 500, maxDepth: 40, maxListElements: 200, maxMapEntries: 100, maxCallArguments: 16 },
});
for (const name of EXPRESSION_FIELDS) {
  const type =
    name === 'time' ? 'google.protobuf.Timestamp' : name === 'attributes' || name === 'data' ? 'dyn' : 'string';
  environment.registerVariable(name === 'type' ? TYPE_FIELD : name, type);
}

/** What CEL reads fields from: one reused object, so that an evaluation allocates nothing. */
class Fields {
  message: Message | undefined;
  private decoded: unknown;
  private decodedFor: Message | undefined;

  private get m(): Message {
    return this.message as Message;
  }
  get id(): string {
    return this.m.id;
  }
  get source(): string {
    return this.m.source;
  }
  get [TYPE_FIELD](): string {
    return this.m.type;
  }
  get subject(): string {
    return this.m.subject ?? '';
  }
  get time(): Date {
    return new Date(this.m.time);
  }
  get kind(): string {
    return this.m.kind;
  }
  get severity(): string {
    return this.m.severity ?? '';
  }
  get instance(): string {
    return this.m.instance;
  }
  get project(): string {
    return this.m.project;
  }
  get partitionkey(): string {
    return this.m.partitionkey;
  }
  get attributes(): unknown {
    return this.m.attributes;
  }
  /** Raw bytes and text are read as JSON where they are JSON. */
  get data(): unknown {
    const data = this.m.data;
    if (typeof data !== 'string' && !(data instanceof Uint8Array)) return data;
    if (this.decodedFor !== this.m) {
      this.decoded = decodeJson(data);
      this.decodedFor = this.m;
    }
    return this.decoded;
  }
  clear(): void {
    this.message = undefined;
    this.decodedFor = undefined;
    this.decoded = undefined;
  }
}

function decodeJson(data: string | Uint8Array): unknown {
  if (typeof data !== 'string' && !isUtf8(data)) return data;
  const text =
    typeof data === 'string' ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8');
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

export type ExpressionCheck =
  { readonly ok: true } | { readonly ok: false; readonly message: string; readonly at: number };

/** Checks an expression without running it. `at`: offset of the fault, from 0. */
export function checkExpression(source: string, use: ExpressionUse = 'condition'): ExpressionCheck {
  try {
    parse(source, use);
    return { ok: true };
  } catch (error) {
    if (error instanceof ExpressionFault) return { ok: false, message: error.message, at: error.at };
    throw error;
  }
}

/** A compiled condition that also tells faults from "does not hold". */
export interface CountingExpression extends Expression {
  /** Evaluations that failed so far (missing field, types that do not fit). */
  readonly faults: number;
}

/** Throws ConfigError `PB_EXPRESSION`. A message that lacks a field the expression reads does not match. */
export function compileExpression(source: string): CountingExpression {
  const evaluate = compile(source, 'condition');
  const fields = new Fields();
  let faults = 0;
  return {
    get faults() {
      return faults;
    },
    test(message) {
      fields.message = message;
      try {
        return evaluate(fields as unknown as Record<string, unknown>) === true;
      } catch (error) {
        if (!(error instanceof EvaluationError)) throw error;
        faults++;
        return false;
      } finally {
        fields.clear();
      }
    },
  };
}

/** An expression of any type. Throws as {@link compileExpression} does. */
export function compileValue(source: string): ValueExpression {
  const evaluate = compile(source, 'value');
  const fields = new Fields();
  return {
    read(message) {
      fields.message = message;
      try {
        return plainValue(evaluate(fields as unknown as Record<string, unknown>));
      } catch (error) {
        if (!(error instanceof EvaluationError)) throw error;
        return undefined;
      } finally {
        fields.clear();
      }
    },
  };
}

/** CEL's own kinds of values as JavaScript has them: an empty optional is undefined, a duration is milliseconds. */
function plainValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plainValue);
  if (typeof value !== 'object' || value === null || value instanceof Date || value instanceof Uint8Array) return value;
  if (value instanceof Optional) return value.hasValue() ? plainValue(value.value()) : undefined;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return value;
  const primitive: unknown = value.valueOf();
  return typeof primitive === 'object' ? String(value) : primitive;
}

function compile(source: string, use: ExpressionUse): (context: Record<string, unknown>) => unknown {
  try {
    return parse(source, use);
  } catch (error) {
    if (!(error instanceof ExpressionFault)) throw error;
    throw new ConfigError(
      'PB_EXPRESSION',
      '',
      `${error.message} (at character ${error.at + 1} of \`${source}\`)`,
      'See docs/config.md, "Expressions", for the fields and functions.',
    );
  }
}

class ExpressionFault extends Error {
  readonly at: number;
  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

function parse(source: string, use: ExpressionUse): (context: Record<string, unknown>) => unknown {
  if (source.length > MAX_LENGTH) throw new ExpressionFault(`longer than ${MAX_LENGTH} characters`, MAX_LENGTH);
  try {
    const text = renameTypeField(source);
    const parsed = environment.parse(text);
    const check = parsed.check();
    if (!check.valid && check.error !== undefined) throw check.error;
    if (use === 'condition' && check.type !== 'bool' && check.type !== 'dyn') {
      throw new ExpressionFault(`gives a ${check.type ?? 'value'}, not true or false`, 0);
    }
    return parsed as (context: Record<string, unknown>) => unknown;
  } catch (error) {
    if (error instanceof ParseError || error instanceof CelTypeError) {
      const at = error.range?.start ?? 0;
      const summary = (error.summary || error.message.split('\n')[0] || 'not an expression').replaceAll(
        TYPE_FIELD,
        'type',
      );
      const unknown = /^Unknown variable: (\w+)/.exec(summary);
      throw new ExpressionFault(
        unknown ? `unknown field \`${unknown[1]}\`; known: ${EXPRESSION_FIELDS.join(', ')}` : summary,
        at,
      );
    }
    throw error;
  }
}

/** Replaces the variable `type` (not the function `type(…)`, not a field `.type`). */
function renameTypeField(source: string): string {
  if (!/\btype\b/.test(source)) return source;
  const places: number[] = [];
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) {
      for (const part of node) visit(part);
      return;
    }
    if (typeof node !== 'object' || node === null || !('op' in node) || !('args' in node)) return;
    const { op, args, start } = node as unknown as { op: string; args: unknown; start: number };
    if (op === 'id' && args === 'type') places.push(start);
    else if (typeof args === 'object') visit(Array.isArray(args) ? args : [args]);
  };
  visit(environment.parse(source).ast);
  let text = source;
  for (const place of places) text = text.slice(0, place) + TYPE_FIELD + text.slice(place + TYPE_FIELD.length);
  return text;
}
