import { readFileSync, readdirSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { Import } from './rules.ts';

const SKIPPED = new Set(['node_modules', 'dist', 'out', 'artifacts', 'fixtures', 'template', 'templates']);

/** Every TypeScript file below the folders, as paths of the checkout with `/`. */
export function sourceFiles(root: string, folders: readonly string[]): string[] {
  const below = (folder: string): string[] =>
    readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : below(path);
      return /\.tsx?$/.test(entry.name) ? [path] : [];
    });
  return folders.flatMap(below);
}

/** The imports of one file: `import`, `export … from`, `import()`, `new URL('…', import.meta.url)` of a source. */
export function importsOf(file: string, text: string): Import[] {
  const code = withoutComments(text);
  const found: Import[] = [];
  const add = (target: string, typeOnly: boolean): void => {
    const relative = target.startsWith('.');
    found.push({ from: file, to: relative ? posix.join(posix.dirname(file), target) : target, relative, typeOnly });
  };
  // `[^'"`;]*?` keeps a match inside one statement; clauses hold neither quotes nor semicolons.
  for (const [, , clause = '', target = ''] of code.matchAll(
    /^[ \t]*(import|export)\b([^'"`;]*?)\bfrom\s*['"]([^'"]+)['"]/gm,
  )) {
    add(target, isTypeOnly(clause));
  }
  for (const [, target = ''] of code.matchAll(/^[ \t]*import\s*['"]([^'"]+)['"]/gm)) add(target, false);
  for (const [, before = '', target = ''] of code.matchAll(/(.?)\bimport\s*\(\s*['"]([^'"]+)['"]\s*[,)]/g)) {
    // `typeof import('x')` and `import('x').T` in a type cannot be told from a value here; both count.
    if (before !== '.') add(target, false);
  }
  return found;
}

/** `import type {…}` or a list in which each name has its own `type`. */
function isTypeOnly(clause: string): boolean {
  if (/^\s*type\s+[^\s,]/.test(clause)) return true;
  const names = /^\s*\{([^}]*)\}\s*$/.exec(clause)?.[1];
  if (names === undefined) return false;
  const list = names
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return list.length > 0 && list.every((name) => /^type\s/.test(name));
}

/** Blanks comments, leaving texts alone: an import in a docstring's example is none. */
function withoutComments(text: string): string {
  return text.replace(
    /("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|\/\*[\s\S]*?\*\/|(^|[^:\\])\/\/[^\n]*/g,
    (whole, quoted: string | undefined, before: string | undefined) =>
      quoted ?? (whole.startsWith('/*') ? whole.replace(/[^\n]/g, ' ') : (before ?? '')),
  );
}

export function readImports(root: string, files: readonly string[]): Import[] {
  return files.flatMap((file) => importsOf(file, readFileSync(join(root, file), 'utf8')));
}
