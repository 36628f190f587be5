import { BrowserWindow, nativeTheme, shell } from 'electron';
import { APP_PAGE, externalLink, isOwnUrl, mayHave } from '../shell/origin.ts';
import { windowOptions } from '../shell/window-options.ts';

/** Opens the window on the panel, with everything denied that it doesn't need. */
export function openWindow(given: { readonly preload: string; readonly packaged: boolean }): BrowserWindow {
  const window = new BrowserWindow(windowOptions({ ...given, dark: nativeTheme.shouldUseDarkColors }));
  const { webContents } = window;
  const leave = (url: string): void => {
    const link = externalLink(url);
    if (link !== undefined) void shell.openExternal(link);
  };
  webContents.setWindowOpenHandler(({ url }) => {
    leave(url);
    return { action: 'deny' };
  });
  webContents.on('will-navigate', (event) => {
    if (isOwnUrl(event.url)) return;
    event.preventDefault();
    leave(event.url);
  });
  webContents.on('will-redirect', (event) => {
    if (!isOwnUrl(event.url)) event.preventDefault();
  });
  webContents.on('will-attach-webview', (event) => event.preventDefault());
  webContents.session.setPermissionRequestHandler((_, permission, answer, { requestingUrl }) =>
    answer(mayHave(permission, requestingUrl)),
  );
  webContents.session.setPermissionCheckHandler((_, permission, origin) => mayHave(permission, origin));
  window.once('ready-to-show', () => window.show());
  void window.loadURL(APP_PAGE);
  return window;
}
