import { Document } from 'yaml';
import { CodedError } from '../engine/error.ts';

/** A config object as YAML text. Throws PB_CONFIG_NOT_DATA for what is not plain data. */
export function renderConfig(config: object): string {
  let plain: unknown;
  try {
    plain = JSON.parse(JSON.stringify(config));
  } catch (error) {
    throw new CodedError('PB_CONFIG_NOT_DATA', {
      reason: error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error),
    });
  }
  return new Document(plain, { aliasDuplicateObjects: false }).toString({ lineWidth: 0 });
}
