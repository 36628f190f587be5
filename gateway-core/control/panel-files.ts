import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { extname, resolve, sep } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.gif': 'image/gif',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
};

export interface PanelFile {
  readonly body: Buffer;
  readonly type: string;
  readonly etag: string;
  readonly caching: string;
}

/**
 * One file of the built panel by its URL path; undefined when there is none, for folders, for names
 * that begin with a dot and for whatever would lie outside `folder`.
 */
export async function panelFile(folder: string, path: string): Promise<PanelFile | undefined> {
  let name: string;
  try {
    name = decodeURIComponent(path);
  } catch {
    return undefined;
  }
  if (/[\0\\]|\/\.|\/\//.test(name)) return undefined;
  const file = resolve(folder, `.${name}`);
  if (!file.startsWith(resolve(folder) + sep)) return undefined;
  const type = TYPES[extname(file)];
  if (type === undefined) return undefined;
  let body: Buffer;
  try {
    if (!(await stat(file)).isFile()) return undefined;
    body = await readFile(file);
  } catch {
    return undefined;
  }
  return {
    body,
    type,
    etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`,
    // The build puts a hash of the content into these names.
    caching: name.startsWith('/assets/') ? 'private, max-age=31536000, immutable' : 'no-cache',
  };
}
