import type { BrowserWindowConstructorOptions } from 'electron';

/** How the one window is made: sandboxed, isolated, without Node, shown when there is something to see. */
export function windowOptions(given: {
  readonly preload: string;
  readonly dark: boolean;
  readonly packaged: boolean;
}): BrowserWindowConstructorOptions {
  return {
    title: 'Patchbay',
    width: 1360,
    height: 860,
    minWidth: 900,
    minHeight: 560,
    show: false,
    autoHideMenuBar: true,
    // What is there before the first paint; a white flash in the dark hurts.
    backgroundColor: given.dark ? '#16181d' : '#ffffff',
    webPreferences: {
      preload: given.preload,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      webviewTag: false,
      spellcheck: false,
      devTools: !given.packaged,
    },
  };
}
