/** Which problem of the engine belongs to which field. */
import type { Problem } from '../../../gateway-core/protocol/model.ts';
import { eachField, type Field } from './form-model.ts';
import { pathKey, type Path } from './value-path.ts';

export interface FormProblems {
  /** By `Field.key`. */
  readonly byField: ReadonlyMap<string, readonly Problem[]>;
  /** Those no field on the screen stands for. */
  readonly unmatched: readonly Problem[];
}

export const NO_PROBLEMS: FormProblems = { byField: new Map(), unmatched: [] };

/**
 * Gives each problem to the field at its path, else to the nearest field above that is on the
 * screen; what points at the whole config, or elsewhere, stays unmatched.
 * @param base where the form's value lies: `['sources', 'demo', 'config']`
 */
export function assignProblems(problems: readonly Problem[], form: Field, base: Path): FormProblems {
  const known = new Set<string>();
  for (const field of eachField(form)) known.add(field.key);
  const byField = new Map<string, Problem[]>();
  const unmatched: Problem[] = [];
  for (const problem of problems) {
    const key = keyFor(problem.path, base, known);
    if (key === undefined) unmatched.push(problem);
    else byField.set(key, [...(byField.get(key) ?? []), problem]);
  }
  return { byField, unmatched };
}

function keyFor(path: Path, base: Path, known: ReadonlySet<string>): string | undefined {
  // Numbers may come as text ("0") from a JSON pointer.
  if (path.length <= base.length || !base.every((part, index) => String(part) === String(path[index])))
    return undefined;
  const inside = path.slice(base.length);
  for (let length = inside.length; length > 0; length--) {
    for (const candidate of spellings(inside.slice(0, length))) {
      const key = pathKey(candidate);
      if (known.has(key)) return key;
    }
  }
  return undefined;
}

function spellings(path: Path): readonly Path[] {
  const numbered = path.map((part) => (typeof part === 'string' && /^\d+$/.test(part) ? Number(part) : part));
  return [path, numbered];
}

/** True when the field or anything below it has a problem: what is folded away must open then. */
export function hasProblem(field: Field, problems: FormProblems): boolean {
  for (const inner of eachField(field)) if (problems.byField.has(inner.key)) return true;
  return false;
}
