import type { LetterFilter, LetterSelection } from '../protocol/dead-letters.ts';

/** A condition over the table `letters`, with its values in order. */
export interface Condition {
  readonly sql: string;
  readonly values: readonly (string | number)[];
}

/** The letters that are selected and have an id above `after` and below `before`. */
export function condition(
  selection: LetterSelection,
  { after = 0, before = Number.MAX_SAFE_INTEGER }: { readonly after?: number; readonly before?: number } = {},
): Condition {
  const parts: string[] = [];
  const values: (string | number)[] = [];
  const add = (sql: string, ...of: (string | number)[]): void => {
    parts.push(sql);
    values.push(...of);
  };
  // Without a range SQLite is free to use the index that fits the filter.
  if (after > 0) add('letters.id > ?', after);
  if (before < Number.MAX_SAFE_INTEGER) add('letters.id < ?', before);
  if ('ids' in selection) add('letters.id IN (SELECT value FROM json_each(?))', JSON.stringify(selection.ids));
  else addFilter(selection.filter, add);
  return { sql: parts.length === 0 ? 'TRUE' : parts.join(' AND '), values };
}

function addFilter(filter: LetterFilter, add: (sql: string, ...of: (string | number)[]) => void): void {
  if (filter.upTo !== undefined) add('letters.id <= ?', filter.upTo);
  if (filter.pipeline !== undefined) add('pipeline = ?', filter.pipeline);
  if (filter.instance !== undefined) add('instance = ?', filter.instance);
  if (filter.code !== undefined) add('code = ?', filter.code);
  if (filter.from !== undefined) add('stored >= ?', filter.from);
  if (filter.to !== undefined) add('stored <= ?', filter.to);
  if (filter.text !== undefined && filter.text !== '') {
    const pattern = `%${filter.text.replace(/[\\%_]/g, '\\$&')}%`;
    add(`(cause LIKE ? ESCAPE '\\' OR message_id LIKE ? ESCAPE '\\')`, pattern, pattern);
  }
}
