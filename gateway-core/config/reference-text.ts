/** `${env:NAME}`, `${file:path}`, `${secret:name}`; `$${` is a literal `${`. */

export type ReferenceScheme = 'env' | 'file' | 'secret';

export type TextPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'reference'; readonly scheme: ReferenceScheme; readonly name: string; readonly written: string }
  | { readonly kind: 'fault'; readonly written: string };

const PART = /\$\$\{|\$\{([^}]*)(\}|$)/g;
const REFERENCE = /^(env|file|secret):(.+)$/s;

/** Whether `value` is text that has a reference, or what looks like one, in it. */
export function hasReference(value: unknown): boolean {
  return typeof value === 'string' && splitReferences(value).some((part) => part.kind !== 'text');
}

/** Splits text at its references. Text without `${` comes back as one part. */
export function splitReferences(text: string): TextPart[] {
  if (!text.includes('${')) return [{ kind: 'text', text }];
  const parts: TextPart[] = [];
  let plain = '';
  let end = 0;
  const flush = (): void => {
    if (plain !== '') parts.push({ kind: 'text', text: plain });
    plain = '';
  };
  for (const match of text.matchAll(PART)) {
    plain += text.slice(end, match.index);
    end = match.index + match[0].length;
    if (match[0] === '$${') {
      plain += '${';
      continue;
    }
    flush();
    const written = match[0].slice(0, 80);
    const reference = match[2] === '}' ? REFERENCE.exec(match[1] as string) : null;
    parts.push(
      reference === null
        ? { kind: 'fault', written }
        : { kind: 'reference', scheme: reference[1] as ReferenceScheme, name: reference[2] as string, written },
    );
  }
  plain += text.slice(end);
  flush();
  return parts;
}
