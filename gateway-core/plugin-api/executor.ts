import type { Context, StopSignal } from './context.ts';

/** One piece of a command's output, in order. `exit` comes once, last. */
export type ExecutorOutput =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'code'; readonly text: string }
  | { readonly kind: 'table'; readonly columns: readonly string[]; readonly rows: readonly (readonly string[])[] }
  | { readonly kind: 'button'; readonly label: string; readonly command: string }
  | {
      readonly kind: 'select';
      readonly label: string;
      readonly command: string;
      readonly options: readonly { label: string; value: string }[];
    }
  | { readonly kind: 'exit'; readonly status: number };

/** Answers command lines that begin with its prefix, as in `kubectl get pods`. */
export interface Executor {
  execute(command: string, signal: StopSignal): AsyncIterable<ExecutorOutput>;
  /** What can be asked, as Markdown. */
  help(): string | Promise<string>;
  close?(): void | Promise<void>;
}

export interface ExecutorDefinition<Config> {
  readonly kind: 'executor';
  create(context: Context<Config>): Executor;
}

/** `export default defineExecutor({ create })` is an executor's module. */
export function defineExecutor<Config>(
  definition: Omit<ExecutorDefinition<Config>, 'kind'>,
): ExecutorDefinition<Config> {
  return { kind: 'executor', ...definition };
}
