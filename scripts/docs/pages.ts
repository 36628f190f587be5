import { cliPage } from './cli-page.ts';
import { configPage } from './config-page.ts';
import { errorsPage } from './errors-page.ts';
import { metricsPage } from './metrics-page.ts';
import { builtInManifests } from './plugin-list.ts';
import { pluginsPage } from './plugins-page.ts';

/** Every generated page: path below the checkout, and its text. */
export async function pages(root: string): Promise<ReadonlyMap<string, string>> {
  const manifests = await builtInManifests(root);
  return new Map([
    ['docs/cli.md', cliPage()],
    ['docs/config.md', configPage()],
    ['docs/errors.md', errorsPage(manifests)],
    ['docs/metrics.md', metricsPage()],
    ['docs/plugins.md', pluginsPage(manifests)],
  ]);
}
