import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { respond } from './app-response.ts';

let outer: string;
let panel: string;
beforeAll(() => {
  outer = mkdtempSync(join(tmpdir(), 'patchbay-app-'));
  panel = join(outer, 'panel');
  mkdirSync(join(panel, 'assets'), { recursive: true });
  writeFileSync(join(outer, 'secret.txt'), 'secret');
  writeFileSync(join(panel, 'index.html'), '<script nonce="__CSP_NONCE__"></script>');
  writeFileSync(join(panel, 'assets/a.js'), 'let a');
});
afterAll(() => rmSync(outer, { recursive: true, force: true }));

describe('respond', () => {
  it('gives every page the index, each time with another nonce and its policy', async () => {
    const [first, second] = [
      await respond('GET', 'app://patchbay/', panel),
      await respond('GET', 'app://patchbay/live/telemetry', panel),
    ];
    const nonce = /nonce="([^"]+)"/.exec(String(first.body))?.[1] ?? '';
    expect(nonce).not.toBe('');
    expect(first.headers['content-security-policy']).toContain(`'nonce-${nonce}'`);
    expect(first.headers['content-security-policy']).toContain("default-src 'none'");
    expect(first.headers['content-security-policy']).not.toContain('unsafe');
    expect(String(second.body)).not.toContain(nonce);
  });
  it('gives files their type', async () => {
    expect(await respond('GET', 'app://patchbay/assets/a.js', panel)).toMatchObject({
      status: 200,
      headers: { 'content-type': 'text/javascript; charset=utf-8' },
    });
  });
  it.each([
    'app://patchbay/../secret.txt',
    'app://patchbay/%2e%2e/secret.txt',
    'app://patchbay/..%2fsecret.txt',
    'app://patchbay/assets/..%5c..%5c..%5csecret.txt',
    'app://patchbay/none.js',
    'app://other/assets/a.js',
  ])('has no %s', async (url) => {
    expect((await respond('GET', url, panel)).status).toBe(404);
  });
  it('only gives', async () => {
    expect((await respond('POST', 'app://patchbay/', panel)).status).toBe(404);
  });
});
