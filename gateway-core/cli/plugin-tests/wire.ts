/** One line of what `plugins test` prints. */
export interface TestResult {
  /** `plugin.json`, `source acme`, or a test file. */
  readonly subject: string;
  readonly check: string;
  readonly result: 'ok' | 'failed' | 'not applicable';
  /** What failed, or what to supply. */
  readonly detail: string;
  readonly ms: number;
}

/** What a test worker is to do. */
export interface TestWork {
  readonly folder: string;
  /** Conformance checks, or the tests saved in these files. */
  readonly what: 'conformance' | readonly string[];
  /** Results so far: not run again, after the one before ended the worker. */
  readonly done: readonly string[];
}

export type FromTestWorker =
  | { readonly t: 'begin'; readonly subject: string; readonly check: string }
  | { readonly t: 'result'; readonly result: TestResult }
  | { readonly t: 'end' };

export function keyOf({ subject, check }: { readonly subject: string; readonly check: string }): string {
  return `${subject}\n${check}`;
}
