import { NONCE_PLACEHOLDER, withNonce } from '../../gateway-core/control/html.ts';
import { panelFile } from '../../gateway-core/control/panel-files.ts';
import { isOwnUrl } from './origin.ts';

export interface AppResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer> | string;
}

const NOT_FOUND: AppResponse = {
  status: 404,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  body: 'not found',
};

/**
 * What the app's own scheme serves: the built panel's files and nothing else. A path without an extension is a
 * page of the panel, and gets its index with a fresh nonce and the policy that goes with it.
 */
export async function respond(method: string, url: string, panelFolder: string): Promise<AppResponse> {
  if (method !== 'GET' || !isOwnUrl(url)) return NOT_FOUND;
  const { pathname } = new URL(url);
  const isPage = !/\.[a-z0-9]+$/i.test(pathname) || pathname === '/index.html';
  const file = await panelFile(panelFolder, isPage ? '/index.html' : pathname);
  if (file === undefined) return NOT_FOUND;
  const headers = {
    'content-type': file.type,
    'x-content-type-options': 'nosniff',
    'cache-control': isPage ? 'no-store' : file.caching,
  };
  const text = file.type.startsWith('text/html') ? file.body.toString('utf8') : '';
  if (!text.includes(NONCE_PLACEHOLDER)) return { status: 200, headers, body: new Uint8Array(file.body) };
  const { body, policy } = withNonce(text);
  return { status: 200, headers: { ...headers, 'content-security-policy': policy }, body };
}
