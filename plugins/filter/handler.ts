import {
  ConfigError,
  defineHandler,
  Filtered,
  type Context,
  type Expression,
  type Handler,
  type HandlerResult,
  type Message,
  type Severity,
} from 'patchbay/plugin-api';
import { globMatcher } from './glob.ts';

export interface FilterConfig {
  readonly where?: string;
  readonly severity?: Severity;
  readonly sources?: readonly string[];
}

const SEVERITIES: readonly Severity[] = ['debug', 'info', 'warning', 'critical'];

/** The first condition that does not hold, or undefined. */
type Rule = (message: Message) => Filtered | undefined;

function rulesOf(context: Context<FilterConfig>, config: FilterConfig): Rule[] {
  const rules: Rule[] = [];
  const { where, severity, sources } = config;
  // The cheap ones first.
  if (severity !== undefined) {
    const least = SEVERITIES.indexOf(severity);
    rules.push((message) => {
      const own = message.severity ?? 'info';
      return SEVERITIES.indexOf(own) >= least ? undefined : new Filtered(`severity ${own} is below ${severity}`);
    });
  }
  if (sources !== undefined && sources.length > 0) {
    const known = globMatcher(sources);
    const verdict = new Filtered('source is not in the list');
    rules.push((message) => (known(message.instance) || known(message.source) ? undefined : verdict));
  }
  if (where !== undefined) {
    const condition = conditionOf(context, where);
    const verdict = new Filtered(`where does not hold: ${where.length > 200 ? `${where.slice(0, 199)}…` : where}`);
    rules.push((message) => (condition.test(message) ? undefined : verdict));
  }
  return rules;
}

function conditionOf(context: Context<FilterConfig>, where: string): Expression {
  try {
    return context.expression(where);
  } catch (error) {
    // The host can't know which field the text came from; the form shows the fault there.
    throw error instanceof ConfigError ? new ConfigError(error.code, 'where', error.message, error.remedy) : error;
  }
}

class Filter implements Handler<FilterConfig> {
  private readonly context: Context<FilterConfig>;
  private rules: readonly Rule[];

  /** Throws ConfigError `PB_EXPRESSION` when `where` is no condition. */
  constructor(context: Context<FilterConfig>) {
    this.context = context;
    this.rules = rulesOf(context, context.config);
  }

  handle(batch: readonly Message[]): HandlerResult[] {
    return batch.map((message) => {
      for (const rule of this.rules) {
        const verdict = rule(message);
        if (verdict !== undefined) return verdict;
      }
      return message;
    });
  }

  reconfigure(config: FilterConfig): boolean {
    this.rules = rulesOf(this.context, config);
    return true;
  }
}

export default defineHandler<FilterConfig>({ create: (context) => new Filter(context) });
