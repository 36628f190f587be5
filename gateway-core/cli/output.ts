import { toWireError } from '../engine/error.ts';
import type { ErrorCode } from '../protocol/errors/index.ts';
import type { WireError } from '../protocol/frames.ts';
import type { Problem } from '../protocol/model.ts';
import { RemoteError } from '../protocol/wire-error.ts';
import { EXIT } from './exit.ts';

/** Writes one JSON value and a newline to standard output. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

export function print(line = ''): void {
  process.stdout.write(`${line}\n`);
}

/** Rows in aligned columns; numbers to the right. */
export function printTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
  const text = rows.map((row) => row.map((cell) => (typeof cell === 'number' ? cell.toLocaleString('en') : cell)));
  const widths = head.map((title, i) => Math.max(title.length, ...text.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[], right: (i: number) => boolean): string =>
    cells
      .map((cell, i) => (right(i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  print(line(head, (i) => typeof rows[0]?.[i] === 'number'));
  for (const [i, row] of text.entries()) print(line(row, (column) => typeof rows[i]?.[column] === 'number'));
}

/** A problem as `file:line:column: message [CODE]`, remedy on the next line. */
export function problemText(problem: Problem, file: string): string {
  const place =
    problem.line === undefined
      ? `${file}: ${problem.path.join('.')}`
      : `${file}:${problem.line}:${problem.column ?? 1}`;
  return `${place}: ${problem.severity === 'warning' ? 'warning: ' : ''}${problem.message} [${problem.code}]\n    ${problem.remedy}`;
}

/** The command line itself is wrong. */
const USAGE: ReadonlySet<string> = new Set<ErrorCode>(['PB_BAD_ADDRESS', 'PB_LETTERS_UNNAMED', 'PB_LETTERS_WHEN']);

/** Reports a failure on standard error (with `json`: on standard output) and returns the exit code for it. */
export function printError(error: unknown, json: boolean): number {
  const wire: WireError = error instanceof RemoteError ? error.wire : toWireError(error);
  if (json) printJson({ error: wire });
  else {
    process.stderr.write(`${wire.message} [${wire.code}]\n`);
    for (const problem of problemsOf(wire)) process.stderr.write(`${problemText(problem, '  config')}\n`);
    if (wire.remedy !== '') process.stderr.write(`${wire.remedy}\n`);
  }
  if (USAGE.has(wire.code)) return EXIT.usage;
  return wire.code.startsWith('PB_CONFIG') || wire.code === 'PB_PORT_IN_USE' ? EXIT.config : EXIT.failed;
}

function problemsOf({ details }: WireError): readonly Problem[] {
  const problems = (details as { problems?: unknown } | undefined)?.problems;
  return Array.isArray(problems) ? (problems as Problem[]) : [];
}
