/** Names that fit at the caret of a filter expression. */

/** What every message has (design §6). */
export const MESSAGE_FIELDS = [
  'id',
  'source',
  'type',
  'subject',
  'time',
  'kind',
  'severity',
  'instance',
  'project',
  'partitionkey',
  'attributes',
  'data',
];

const FUNCTIONS = ['has()', 'size()'];
const METHODS = ['startsWith("")', 'endsWith("")', 'contains("")', 'matches("")'];

export interface Completion {
  readonly from: number;
  readonly options: readonly string[];
}

const MAPS: ReadonlySet<string> = new Set(['attributes', 'data']);

const MOST = 12;

/** True when the caret stands in a string literal. */
function inString(before: string): boolean {
  let quote = '';
  for (let i = 0; i < before.length; i++) {
    const letter = before[i] ?? '';
    if (letter === '\\') i++;
    else if (quote === '' && (letter === '"' || letter === "'")) quote = letter;
    else if (letter === quote) quote = '';
  }
  return quote !== '';
}

/** `paths`: what was seen in messages, as in `data.host`. No options where none fits. */
export function complete(text: string, caret: number, paths: readonly string[]): Completion {
  const before = text.slice(0, caret);
  if (inString(before)) return { from: caret, options: [] };
  const word = /[A-Za-z_][\w.]*$/.exec(before)?.[0] ?? '';
  const from = caret - word.length;
  const dot = word.lastIndexOf('.');
  const known = [...MESSAGE_FIELDS, ...paths];
  const options = known.filter(
    (path) => path.startsWith(word) && path !== word && !path.slice(word.length).includes('.'),
  );
  if (dot !== -1) {
    const object = word.slice(0, dot);
    // A map has fields, everything else may be a text.
    if (known.includes(object) && !MAPS.has(object) && !known.some((path) => path.startsWith(`${object}.`))) {
      options.push(...METHODS.map((method) => `${object}.${method}`).filter((call) => call.startsWith(word)));
    }
  } else options.push(...FUNCTIONS.filter((name) => word !== '' && name.startsWith(word)));
  return { from, options: [...new Set(options)].slice(0, MOST) };
}

/** Puts an option in; the caret goes between the quotes or brackets of a call. */
export function accept(text: string, caret: number, from: number, option: string): { text: string; caret: number } {
  const inside = option.endsWith('("")') ? 2 : option.endsWith('()') ? 1 : 0;
  return { text: text.slice(0, from) + option + text.slice(caret), caret: from + option.length - inside };
}
