import type { ResolvedConfig } from '../config/resolved.ts';
import { errorRegistry } from '../protocol/errors/index.ts';

/** What is to be done about a code: of the gateway's registry, else of a plugin in use. Empty: nobody says. */
export function remedyIn(config: ResolvedConfig | null, code: string): string {
  if (code in errorRegistry) return errorRegistry[code as keyof typeof errorRegistry].remedy;
  for (const { plugin } of config?.instances.values() ?? []) {
    const known = plugin.manifest.errors?.find((error) => error.code === code);
    if (known !== undefined) return known.remedy;
  }
  return '';
}
