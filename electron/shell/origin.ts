/** The one page of the app, and who may do what in it. Everything that is not needed is denied. */

export const APP_SCHEME = 'app';
export const APP_ORIGIN = `${APP_SCHEME}://patchbay`;
export const APP_PAGE = `${APP_ORIGIN}/`;

/** Whether a URL is one of ours. */
export function isOwnUrl(url: string): boolean {
  try {
    const { protocol, host } = new URL(url);
    return protocol === `${APP_SCHEME}:` && host === 'patchbay';
  } catch {
    return false;
  }
}

/** Whether a message to the main process comes from our page itself, not from a frame inside it or another page. */
export function isTrustedSender(sender: { readonly url: string; readonly topLevel: boolean }): boolean {
  return sender.topLevel && isOwnUrl(sender.url);
}

/** What becomes of a link that wants a window or another page: it never gets one of ours; the web opens in the browser. */
export function externalLink(url: string): string | undefined {
  try {
    const { protocol, username, password } = new URL(url);
    return protocol === 'https:' && username === '' && password === '' ? url : undefined;
  } catch {
    return undefined;
  }
}

const PERMISSIONS: readonly { readonly name: string; readonly reason: string }[] = [
  { name: 'clipboard-sanitized-write', reason: 'The panel copies messages and commands to the clipboard.' },
];

/** Whether the page may have a permission of the web platform. */
export function mayHave(permission: string, url: string): boolean {
  return isOwnUrl(url) && PERMISSIONS.some(({ name }) => name === permission);
}
