/** What the tests of the documentation need to know of a Markdown text. */

export interface Fence {
  /** `yaml`, `sh`, `console`; empty when none is given. */
  readonly language: string;
  readonly text: string;
  /** The comment on the line before, `<!-- docs/tour/startup.yaml -->`; empty without one. */
  readonly label: string;
  readonly line: number;
}

const FENCE = /^( *)```(\w*)[^\n]*\n([\s\S]*?)^\1```\s*$/gm;

/** Every fenced block. */
export function fences(markdown: string): Fence[] {
  return [...markdown.matchAll(FENCE)].map((match) => {
    const before = markdown.slice(0, match.index);
    return {
      language: match[2] ?? '',
      text: match[3] ?? '',
      label: /<!-- (\S+) -->\n$/.exec(before)?.[1] ?? '',
      line: before.split('\n').length,
    };
  });
}

/** What stands between single backticks, outside fenced blocks. */
export function codeSpans(markdown: string): string[] {
  return [...markdown.replaceAll(FENCE, '').matchAll(/`([^`\n]+)`/g)].map(([, text = '']) => text);
}

/** Targets of all links and images. */
export function links(markdown: string): string[] {
  const prose = markdown.replaceAll(FENCE, '').replaceAll(/`[^`\n]*`/g, '`');
  return [...prose.matchAll(/\]\(\s*<?([^()\s<>]+)>?(?:\s+"[^"]*")?\s*\)/g)].map(([, target = '']) => target);
}

/** The anchors of a page's headings, as GitHub makes them. */
export function anchors(markdown: string): Set<string> {
  const found = new Set<string>();
  for (const [, heading = ''] of markdown.replaceAll(FENCE, '').matchAll(/^#{1,6} +(.+?) *#*$/gm)) {
    const base = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}_\- ]/gu, '')
      .replaceAll(' ', '-');
    let anchor = base;
    for (let n = 1; found.has(anchor); n++) anchor = `${base}-${n}`;
    found.add(anchor);
  }
  return found;
}

/** Commands of a shell as documentation shows them, without prompts and without what other programs get of a pipe. */
export function commands(markdown: string): string[] {
  const lines = fences(markdown).flatMap(({ language, text }) => {
    if (language === 'console') return [...text.matchAll(/^\$ (.*)$/gm)].map(([, line = '']) => line);
    return language === 'sh' || language === 'bash' ? text.split('\n') : [];
  });
  return [...lines, ...codeSpans(markdown)]
    .flatMap((line) => line.replace(/(^|\s)#.*$/, '').split(/\s*(?:&&|\|\|?|;)\s*/))
    .map((command) => command.trim())
    .filter((command) => command !== '');
}
