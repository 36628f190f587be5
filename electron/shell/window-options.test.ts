import { expect, it } from 'vitest';
import { windowOptions } from './window-options.ts';

it('gives the window no more than it needs', () => {
  const { webPreferences, show } = windowOptions({ preload: '/p.cjs', dark: true, packaged: true });
  expect(webPreferences).toMatchObject({
    preload: '/p.cjs',
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    webSecurity: true,
    webviewTag: false,
    devTools: false,
  });
  expect(show).toBe(false);
});
