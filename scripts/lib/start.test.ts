import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RETRY_AFTER_MS, shouldFetch, whyNot } from './electron-binary.mjs';
import { sourceHash } from './renderer-build.mjs';
import { chooseSections } from './sections.mjs';
import { hasDisplay, panelLink, windowCommand } from './window.mjs';

describe('window', () => {
  const url = 'http://127.0.0.1:7080/#code=x';
  const linux = {
    platform: 'linux',
    environment: { PATH: '/a:/b' },
    root: false,
    profile: '/p',
    present: (file: string) => file === '/b/chromium',
  };

  it('needs a display', () => {
    expect(hasDisplay({ platform: 'linux', environment: {} })).toBe(false);
    expect(hasDisplay({ platform: 'linux', environment: { DISPLAY: ':0' } })).toBe(true);
    expect(hasDisplay({ platform: 'linux', environment: { WAYLAND_DISPLAY: 'wayland-0' } })).toBe(true);
    expect(hasDisplay({ platform: 'darwin', environment: {} })).toBe(true);
    expect(hasDisplay({ platform: 'darwin', environment: { PATCHBAY_WINDOW: 'none' } })).toBe(false);
  });

  it('is a Chromium as an app, with its own profile', () => {
    const found = windowCommand(url, linux);
    expect(found).toMatchObject({ command: '/b/chromium', ours: true });
    expect(found?.args).toEqual(expect.arrayContaining([`--app=${url}`, '--user-data-dir=/p']));
    expect(found?.args).not.toContain('--no-sandbox');
    expect(windowCommand(url, { ...linux, root: true })?.args).toContain('--no-sandbox');
  });

  it('else is what the system opens links with, else nothing', () => {
    expect(windowCommand(url, { ...linux, present: (file) => file === '/a/xdg-open' })).toEqual({
      command: '/a/xdg-open',
      args: [url],
      ours: false,
    });
    expect(windowCommand(url, { ...linux, present: () => false })).toBeUndefined();
    expect(windowCommand(url, { ...linux, platform: 'darwin', present: () => false })).toEqual({
      command: 'open',
      args: [url],
      ours: false,
    });
  });

  it('takes the link from the line that begins with Panel', () => {
    expect(panelLink('Panel: http://127.0.0.1:7080/#code=a_b-1')).toBe('http://127.0.0.1:7080/#code=a_b-1');
    expect(panelLink('Control: http://127.0.0.1:7080')).toBeUndefined();
    expect(panelLink('see Panel: http://127.0.0.1:7080')).toBeUndefined();
    expect(panelLink('Panel: javascript:alert(1)')).toBeUndefined();
  });
});

describe('Electron', () => {
  it('is fetched once a day at most, and anew for another version', () => {
    const now = 1_000_000_000_000;
    const failed = { version: '45.4.1', at: now - 1, reason: 'x' };
    expect(shouldFetch(undefined, { version: '45.4.1', now })).toBe(true);
    expect(shouldFetch(failed, { version: '45.4.1', now })).toBe(false);
    expect(shouldFetch(failed, { version: '45.4.2', now })).toBe(true);
    expect(shouldFetch(failed, { version: '45.4.1', now: now + RETRY_AFTER_MS })).toBe(true);
    expect(shouldFetch({ ...failed, at: now + 5 }, { version: '45.4.1', now })).toBe(true);
  });

  it('says in a word why not', () => {
    expect(whyNot('RequestError: getaddrinfo ENOTFOUND somewhere\n  at x')).toBe('ENOTFOUND');
    expect(whyNot('HTTPError: Response code 403 (Forbidden)\n')).toBe('Response code 403 (Forbidden)');
    expect(whyNot('')).toBe('no reason given');
  });
});

describe('build of the panel', () => {
  it('is stale when a source changed, came or went, and only then', () => {
    const root = mkdtempSync(join(tmpdir(), 'patchbay-build-'));
    try {
      mkdirSync(join(root, 'renderer/app'), { recursive: true });
      writeFileSync(join(root, 'renderer/app/a.tsx'), 'a');
      const first = sourceHash(root);
      writeFileSync(join(root, 'renderer/app/a.test.tsx'), 'a test');
      writeFileSync(join(root, 'renderer/app/a.tsx'), 'a');
      expect(sourceHash(root)).toBe(first);
      writeFileSync(join(root, 'renderer/app/a.tsx'), 'b');
      const second = sourceHash(root);
      expect(second).not.toBe(first);
      writeFileSync(join(root, 'renderer/app/b.tsx'), '');
      expect(sourceHash(root)).not.toBe(second);
      rmSync(join(root, 'renderer/app/b.tsx'));
      expect(sourceHash(root)).toBe(second);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
});

describe('sections', () => {
  it('are all that there is something of, in order', () => {
    const { run } = chooseSections([], (path) => path === 'test/peers' || path === 'test/e2e');
    expect(run.map(({ name }) => name)).toEqual(['static', 'unit', 'peers', 'e2e']);
  });
  it('may be named', () => {
    const { run, unknown } = chooseSections(['unit', 'static', 'nonsense'], () => true);
    expect(run.map(({ name }) => name)).toEqual(['static', 'unit']);
    expect(unknown).toEqual(['nonsense']);
  });
});
