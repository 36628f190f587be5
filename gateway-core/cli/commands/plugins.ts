import { withGateway, type Where } from '../connect.ts';
import { EXIT } from '../exit.ts';
import { print, printJson, printTable } from '../output.ts';

type Options = Where & { readonly json?: boolean };

export async function list(options: Options): Promise<number> {
  const { plugins } = await withGateway(options, (client) => client.call('plugins.list', {}));
  if (options.json === true) printJson({ plugins });
  else
    printTable(
      ['plugin', 'version', 'kinds', 'from', 'used by', 'what it does'],
      plugins.map((plugin) => [
        plugin.name,
        plugin.version,
        [...new Set(plugin.contributions.map(({ kind }) => kind))].join(', '),
        plugin.origin,
        plugin.instances.join(', '),
        plugin.problem === undefined
          ? plugin.manifest.description
          : `${plugin.problem.message} [${plugin.problem.code}]`,
      ]),
    );
  return EXIT.ok;
}

export async function show(name: string, options: Options): Promise<number> {
  const plugin = await withGateway(options, (client) => client.call('plugins.get', { name }));
  if (options.json === true) {
    printJson(plugin);
    return EXIT.ok;
  }
  print(`${plugin.manifest.title} (${plugin.name}@${plugin.version}, ${plugin.origin}, ${plugin.manifest.stability})`);
  print(plugin.manifest.description);
  for (const { kind, name: contribution, config } of plugin.contributions) {
    print();
    print(`${kind} ${contribution}`);
    const properties =
      (
        config as
          { properties?: Record<string, { type?: string; default?: unknown; description?: string }> } | undefined
      )?.properties ?? {};
    printTable(
      ['  option', 'type', 'default', 'what it is'],
      Object.entries(properties).map(([option, schema]) => [
        `  ${option}`,
        schema.type ?? '',
        schema.default === undefined ? '' : JSON.stringify(schema.default),
        schema.description ?? '',
      ]),
    );
  }
  return EXIT.ok;
}
