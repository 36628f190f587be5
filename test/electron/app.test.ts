/** The app itself, in a real Electron. Not run where its binary is absent (test/allowed-skips.json). */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { _electron, type ElectronApplication, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findElectron } from '../../scripts/lib/electron-binary.mjs';
import { buildPreload } from '../../scripts/lib/preload-build.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const binary = findElectron(root, process.env);
const display =
  process.platform !== 'linux' || process.env['DISPLAY'] !== undefined || process.env['WAYLAND_DISPLAY'] !== undefined;

describe.skipIf(binary === undefined || !display)("the app (needs Electron's binary and a display)", () => {
  let app: ElectronApplication;
  let page: Page;
  let data: string;

  beforeAll(async () => {
    await buildPreload({ root, node: process.execPath });
    data = mkdtempSync(join(tmpdir(), 'patchbay-electron-'));
    app = await _electron.launch({
      executablePath: binary ?? '',
      args: [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), root, '--data', data, '--control', '127.0.0.1:0'],
    });
    page = await app.firstWindow();
  });
  afterAll(async () => {
    await app.close();
    rmSync(data, { recursive: true, force: true });
  });

  it('shows the panel under its own scheme, connected to the engine', async () => {
    await page.waitForFunction('document.querySelector("#root")?.childElementCount > 0');
    expect(page.url()).toMatch(/^app:\/\/patchbay\//);
    await page.getByText(/demo/i).first().waitFor();
  });

  it('gives the page neither Node nor Electron', async () => {
    expect(
      await page.evaluate('[typeof require, typeof process, typeof module, Object.keys(window.patchbay).join()]'),
    ).toEqual(['undefined', 'undefined', 'undefined', 'requestPort']);
  });

  it('opens no other window and goes nowhere else', async () => {
    await page.evaluate('void window.open("app://patchbay/other")');
    await page.evaluate('void (location.href = "file:///")').catch(() => undefined);
    expect(app.windows()).toHaveLength(1);
    expect(page.url()).toMatch(/^app:\/\/patchbay\//);
  });
});
