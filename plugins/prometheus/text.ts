/** Names, label values and numbers as the exposition formats want them. */

/** `[a-zA-Z_:][a-zA-Z0-9_:]*`: anything else becomes `_`. */
export function exposedName(name: string): string {
  const clean = name.replace(/[^a-zA-Z0-9_:]/g, '_');
  return /^[0-9]/.test(clean) ? `_${clean}` : clean;
}

/** `[a-zA-Z_][a-zA-Z0-9_]*`; a name beginning with `__` is Prometheus's own and loses one `_` or more. */
export function exposedLabel(name: string): string {
  const clean = name.replace(/[^a-zA-Z0-9_]/g, '_').replace(/^__+/, '_');
  return /^[0-9]/.test(clean) || clean === '' ? `_${clean}` : clean;
}

/** Both formats escape the same three characters. Lone surrogates have no UTF-8 and are replaced. */
export function escapeValue(value: string): string {
  const text = value.isWellFormed() ? value : value.toWellFormed();
  if (!/[\\"\n]/.test(text)) return text;
  return text.replace(/[\\"\n]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`));
}

/** As Go's ParseFloat and both formats read it. */
export function numberText(value: number): string {
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
}

export interface LabelText {
  /** `{a="1",b="2"}`, or empty when there are no labels. */
  readonly text: string;
  /** A label's name had to be changed: two label sets may now look alike. */
  readonly changed: boolean;
}

/** Labels in the order given. Empty values mean "no such label"; names that became alike join their values with `;`. */
export function labelText(names: readonly string[], labelValues: readonly string[]): LabelText {
  let changed = false;
  let text = '';
  const values = new Map<string, string>();
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!;
    const value = labelValues[i]!;
    const exposed = exposedLabel(name);
    if (exposed !== name) changed = true;
    const before = values.get(exposed);
    values.set(exposed, before === undefined ? value : `${before};${value}`);
  }
  for (const [name, value] of values) text += `${text === '' ? '{' : ','}${name}="${escapeValue(value)}"`;
  return { text: text === '' ? '' : `${text}}`, changed };
}
