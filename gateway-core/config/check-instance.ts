import type { ResolvedPlugin } from '../catalog/resolved-plugin.ts';
import type { PluginKind, Problem } from '../protocol/model.ts';
import { checkAgainst, schemaOf } from './instance-config.ts';
import { NO_PLACES } from './places.ts';
import { listensOf, portClashes, type Listen } from './ports.ts';
import { hasErrors } from './problem.ts';
import { pluginProblem, probe, referenceSources, sectionOf, type CheckOptions } from './validate.ts';

/**
 * The same checks for one instance, as it is typed into a form. Paths begin at the config's
 * root. `running` brings the other instances, for ports.
 */
export async function checkInstance(
  typed: { readonly kind: PluginKind; readonly plugin: string; readonly instance: string; readonly config: unknown },
  options: CheckOptions,
): Promise<readonly Problem[]> {
  const section = sectionOf(typed.kind);
  if (section === undefined) return [];
  const base = [section, typed.instance, 'config'];
  let plugin: ResolvedPlugin;
  try {
    plugin = options.catalogue.resolve(typed.kind, typed.plugin);
  } catch (error) {
    return [pluginProblem(error, [section, typed.instance, 'plugin'])];
  }
  const checked = await checkAgainst(
    schemaOf(plugin),
    typed.config ?? {},
    base,
    referenceSources(options),
    NO_PLACES,
    options.checkExpression,
  );
  if (hasErrors(checked.problems)) return checked.problems;
  const others: Listen[] = [];
  if (options.running !== undefined) {
    const { control, instances } = options.running;
    if (control.port !== 0) others.push({ owner: '', protocol: 'tcp', ...control, path: [] });
    for (const other of instances.values()) {
      if (other.name !== typed.instance && other.enabled)
        others.push(...listensOf(other.name, schemaOf(other.plugin), other.config, []));
    }
  }
  const own = listensOf(typed.instance, schemaOf(plugin), checked.value, base);
  const clashes = own.flatMap((listen) =>
    portClashes([...others.filter((other) => other.port === listen.port), listen]),
  );
  const concerned = clashes.filter((one) => one.path.length > 0);
  if (options.portProbe === undefined || concerned.length > 0) return [...checked.problems, ...concerned];
  return [...checked.problems, ...(await probe(own, options.portProbe, NO_PLACES))];
}
