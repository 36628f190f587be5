import type { Problem } from '../protocol/model.ts';
import { errorRegistry, fill, type ErrorCode } from '../protocol/errors/index.ts';

export type Path = readonly (string | number)[];

/** A problem of the registry at a path of the config; its place in the text is added by `placed`. */
export function problem(
  code: ErrorCode,
  details: Readonly<Record<string, unknown>>,
  path: Path,
  severity: Problem['severity'] = 'error',
): Problem {
  const entry = errorRegistry[code];
  return { severity, code, message: fill(entry.template, details), remedy: fill(entry.remedy, details), path };
}

/** `sinks.scrape.config.port`, `pipelines.metrics.to[0]`; for the root: `the config`. */
export function pathText(path: Path): string {
  if (path.length === 0) return 'the config';
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (/^[\w-]+$/.test(part)) text += text === '' ? part : `.${part}`;
    else text += `["${part.slice(0, 60)}"]`;
  }
  return text;
}

/** The path as it stands in a message. */
export function placeText(path: Path): string {
  return path.length === 0 ? 'the config' : `'${pathText(path)}'`;
}

export function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some((one) => one.severity === 'error');
}

/** In the order of the file; what has no place comes last. Stable. */
export function inFileOrder(problems: readonly Problem[]): Problem[] {
  const far = Number.MAX_SAFE_INTEGER;
  return problems.toSorted(
    (a, b) => (a.line ?? far) - (b.line ?? far) || (a.line === undefined ? 0 : (a.column ?? 0) - (b.column ?? 0)),
  );
}

/** More problems than this are counted, not listed. */
export const MAX_PROBLEMS = 200;

/** The first `MAX_PROBLEMS` in file order (errors before warnings when not all fit), and one that counts the rest. */
export function capped(problems: readonly Problem[]): Problem[] {
  if (problems.length <= MAX_PROBLEMS) return inFileOrder(problems);
  const errorsFirst = problems.toSorted((a, b) => Number(a.severity === 'warning') - Number(b.severity === 'warning'));
  const kept = inFileOrder(errorsFirst.slice(0, MAX_PROBLEMS));
  return [...kept, problem('PB_CONFIG_MORE', { count: problems.length - MAX_PROBLEMS }, [])];
}
