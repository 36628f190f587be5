/** One named test of a plugin, independent of any test runner. */
export interface Check {
  /** What it is about: `plugin.json`, `source acme`. */
  readonly subject: string;
  /** Short and always the same: `back-pressure`. */
  readonly name: string;
  /** Why it can't run, and what to supply so that it can. Undefined: it can. */
  readonly notApplicable: string | undefined;
  /** Resolves when the plugin holds; rejects with a {@link ConformanceFailure} that says what it did instead. */
  run(): Promise<void>;
}

/** The plugin does not do what the interface asks. */
export class ConformanceFailure extends Error {
  override readonly name = 'ConformanceFailure';
}

export function fail(message: string, cause?: unknown): never {
  throw new ConformanceFailure(message, cause === undefined ? undefined : { cause });
}

/** `problems` that are too many to read are counted. */
export function failWith(problems: readonly string[]): void {
  if (problems.length === 0) return;
  const shown = problems.slice(0, 5).join('; ');
  fail(problems.length > 5 ? `${shown}; and ${problems.length - 5} more` : shown);
}

/** Any thrown thing in one line. */
export function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, 300);
  const code = 'code' in error && typeof error.code === 'string' ? ` [${error.code}]` : '';
  return `${error.name}: ${error.message.slice(0, 300)}${code}`;
}
