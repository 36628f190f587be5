/** Takes over what changes in the plugin folders of a running gateway (design §5). */
import type { Catalogue } from '../catalog/catalogue.ts';
import { hasErrors } from '../config/problem.ts';
import type { ResolvedConfig } from '../config/resolved.ts';
import type { EventLog } from '../events/event-log.ts';
import type { ConfigChecker } from './config-checker.ts';
import { invalid, type ConfigKeeper } from './config-keeper.ts';
import { CodedError, toWireError } from './error.ts';
import type { Monitor } from './monitor.ts';

export interface PluginWatchOptions {
  readonly catalogue: Catalogue;
  readonly keeper: ConfigKeeper;
  readonly checker: ConfigChecker;
  readonly events: EventLog;
  readonly monitor: Monitor;
  onChange(): void;
}

/** A plugin that is gone stops its instances; every other fault leaves the running code in place. */
const GONE: ReadonlySet<string> = new Set(['PB_PLUGIN_MISSING']);
const NEED = 'plugins';

/**
 * Watches until the returned function is called. A changed plugin is swapped in if the config
 * still holds with it and it starts; else the old one runs on and an event says why. One
 * change at a time.
 */
export function watchPlugins(options: PluginWatchOptions): () => void {
  const { catalogue, keeper, checker, events, monitor } = options;
  let turn: Promise<void> = Promise.resolve();

  const takeOver = async (names: readonly string[]): Promise<void> => {
    options.onChange();
    const stopped: string[] = [];
    let next: ResolvedConfig | undefined;
    try {
      await keeper.recheck(async (text) => {
        const { resolved, gone } = await withoutGone(checker, text, keeper.running);
        stopped.push(...gone);
        next = resolved;
        return resolved;
      });
      events.report({
        severity: 'info',
        source: 'plugin',
        type: 'plugin.changed',
        subject: names.join(', '),
        message: `Plugins taken over from disk: ${names.join(', ')}`,
      });
      for (const name of stopped)
        events.report({
          severity: 'critical',
          source: 'plugin',
          type: 'plugin.gone',
          subject: name,
          message: `${name} was stopped: its plugin is no longer there`,
          code: 'PB_PLUGIN_MISSING',
        });
      monitor.notePlugin(
        NEED,
        stopped.length === 0
          ? undefined
          : {
              code: 'PB_PLUGIN_MISSING',
              message: `${stopped.join(', ')} stopped: the plugin is no longer there`,
              remedy: 'Put the plugin back, or remove the instances that use it.',
              subject: stopped[0] ?? '',
              since: Date.now(),
            },
      );
    } catch (error) {
      const { code, message, remedy } = toWireError(error);
      for (const hash of newCode(keeper.running, next))
        catalogue.reject(
          hash,
          error instanceof CodedError
            ? error
            : new CodedError('PB_PLUGIN_IMPORT', { plugin: names.join(', '), message }),
        );
      const text = `A changed plugin was not taken over, the old one runs on: ${message}`;
      events.report({
        severity: 'warning',
        source: 'plugin',
        type: 'plugin.refused',
        subject: names.join(', '),
        message: text,
        code,
        remedy,
      });
      monitor.notePlugin(NEED, { code, message: text, remedy, subject: names.join(', '), since: Date.now() });
    }
    monitor.configChanged();
    const running = new Set([...(keeper.running?.instances.values() ?? [])].map(({ plugin }) => plugin.hash));
    await catalogue.prune(running).catch(() => 0);
  };

  return catalogue.watch((names) => {
    turn = turn.then(() => takeOver(names));
  });
}

/**
 * The config as it holds with the plugins there are. While some are gone, the running one with
 * their instances taken out of service. Throws PB_CONFIG_INVALID for any other fault.
 */
async function withoutGone(
  checker: ConfigChecker,
  text: string,
  running: ResolvedConfig | null,
): Promise<{ resolved: ResolvedConfig; gone: string[] }> {
  const { problems, resolved } = await checker.check(text);
  if (resolved !== undefined && !hasErrors(problems)) return { resolved, gone: [] };
  const gone = problems.filter(({ code, path }) => GONE.has(code) && path.length >= 2);
  if (gone.length === 0 || running === null) throw invalid(problems);
  const reasons = new Map(gone.map(({ path, message }) => [String(path[1]), message]));
  const instances = new Map(
    [...running.instances].map(([name, instance]) => {
      const unavailable = reasons.get(name);
      return [name, unavailable === undefined ? instance : { ...instance, enabled: false, unavailable }];
    }),
  );
  return { resolved: { ...running, instances }, gone: [...reasons.keys()] };
}

/** Hashes of plugin code that `next` would have brought in. */
function newCode(running: ResolvedConfig | null, next: ResolvedConfig | undefined): Set<string> {
  const known = new Set([...(running?.instances.values() ?? [])].map(({ plugin }) => plugin.hash));
  return new Set(
    [...(next?.instances.values() ?? [])].map(({ plugin }) => plugin.hash).filter((hash) => !known.has(hash)),
  );
}
