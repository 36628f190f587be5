import type { Catalogue } from '../catalog/catalogue.ts';
import { parseConfig } from '../config/parse.ts';
import type { ResolvedConfig } from '../config/resolved.ts';
import { validateConfig, type ValidateOptions } from '../config/validate.ts';
import { checkExpression } from '../flow/expression.ts';
import type { Problem } from '../protocol/model.ts';

export interface CheckerOptions {
  readonly catalogue: Catalogue;
  readonly secrets: { get(name: string): Promise<string | undefined> };
  /** Folder of the config file. */
  readonly folder: string;
}

export interface ConfigChecker {
  check(
    text: string,
  ): Promise<{ readonly problems: readonly Problem[]; readonly resolved: ResolvedConfig | undefined }>;
  options(): ValidateOptions;
}

/** Checks config texts against what this gateway has: its plugins, environment, secrets. */
export function configChecker({ catalogue, secrets, folder }: CheckerOptions): ConfigChecker {
  const options: ValidateOptions = { catalogue, env: process.env, folder, secrets, checkExpression };
  return {
    options: () => options,
    async check(text) {
      const { problems, resolved } = await validateConfig(parseConfig(text), options);
      return { problems, resolved };
    },
  };
}
