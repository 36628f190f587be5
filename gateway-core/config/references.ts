import { CodedError } from '../engine/error.ts';
import type { ErrorCode } from '../protocol/errors/index.ts';
import type { Problem } from '../protocol/model.ts';
import { problem, type Path } from './problem.ts';
import { splitReferences, type TextPart } from './reference-text.ts';

/** Where references get their values from. */
export interface ReferenceSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Content of a text file; relative paths begin at the config's folder. Throws when it cannot be used. */
  readFile(path: string): Promise<string>;
  /** Value of a secret; undefined when the store does not have it. */
  secret(name: string): Promise<string | undefined>;
}

/** A config with its references replaced. */
export interface Dereferenced {
  /** A copy; what could not be resolved stands in it as written. */
  readonly value: unknown;
  /** Values that came from secrets. */
  readonly secrets: readonly string[];
  readonly problems: readonly Problem[];
  /** Paths (JSON) whose whole text was one reference: they may be meant as a number or boolean. */
  readonly whole: ReadonlyMap<string, string>;
  /** Paths (JSON) that could not be resolved: their value is unknown, and says nothing about its type. */
  readonly unresolved: ReadonlySet<string>;
}

export const pathKey = (path: Path): string => JSON.stringify(path);

/** Replaces all references below `value`. `base` is its path in the config, for the problems; other paths are relative. */
export async function dereference(value: unknown, base: Path, sources: ReferenceSources): Promise<Dereferenced> {
  const secrets = new Set<string>();
  const problems: Problem[] = [];
  const whole = new Map<string, string>();
  const unresolved = new Set<string>();

  const partValue = async (part: TextPart, path: Path): Promise<string | undefined> => {
    if (part.kind === 'text') return part.text;
    const fail = (code: ErrorCode, details: Record<string, unknown>): undefined => {
      problems.push(problem(code, details, [...base, ...path]));
      return undefined;
    };
    if (part.kind === 'fault') return fail('PB_CONFIG_REFERENCE', { reference: part.written });
    const name = part.name.slice(0, 200);
    switch (part.scheme) {
      case 'env':
        return Object.hasOwn(sources.env, part.name) && sources.env[part.name] !== undefined
          ? sources.env[part.name]
          : fail('PB_CONFIG_ENV', { name });
      case 'file':
        try {
          // One line break at the end belongs to the file, not to the value.
          return (await sources.readFile(part.name)).replace(/\r?\n$/, '');
        } catch (error) {
          return fail('PB_CONFIG_FILE', { file: name, reason: reasonOf(error) });
        }
      case 'secret': {
        let found: string | undefined;
        try {
          found = await sources.secret(part.name);
        } catch (error) {
          // A store that is there and cannot be read says why itself.
          if (!(error instanceof CodedError)) throw error;
          const { code, message, remedy } = error;
          problems.push({ severity: 'error', code, message, remedy, path: [...base, ...path] });
          return undefined;
        }
        if (found === undefined) return fail('PB_CONFIG_SECRET', { name });
        if (found !== '') secrets.add(found);
        return found;
      }
    }
  };

  const resolve = async (at: unknown, path: Path): Promise<unknown> => {
    if (typeof at === 'string') {
      if (!at.includes('${')) return at;
      const parts = splitReferences(at);
      const values: (string | undefined)[] = [];
      for (const part of parts) values.push(await partValue(part, path));
      if (values.includes(undefined)) {
        unresolved.add(pathKey(path));
        return at;
      }
      const [only] = parts;
      if (parts.length === 1 && only?.kind === 'reference') whole.set(pathKey(path), only.written);
      return values.join('');
    }
    if (Array.isArray(at)) {
      const list: unknown[] = [];
      for (const [index, item] of at.entries()) list.push(await resolve(item, [...path, index]));
      return list;
    }
    if (typeof at === 'object' && at !== null) {
      const map: Record<string, unknown> = {};
      for (const [key, item] of Object.entries(at)) map[key] = await resolve(item, [...path, key]);
      return map;
    }
    return at;
  };

  return { value: await resolve(value, []), secrets: [...secrets], problems, whole, unresolved };
}

function reasonOf(error: unknown): string {
  if (error instanceof CodedError) return error.message;
  if (error instanceof Error) return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
  return String(error);
}
