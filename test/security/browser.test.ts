/** What only a real browser shows: that the door opens, the policy holds, and foreign pages stay out. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { start, type Subject } from './start.ts';

const PANEL = `<!doctype html>
<title>test panel</title>
<script nonce="__CSP_NONCE__">
  globalThis.violations = [];
  document.addEventListener('securitypolicyviolation', (event) => violations.push(event.violatedDirective));
  try { eval('globalThis.evaluated = true'); } catch {}
</script>
<script nonce="__CSP_NONCE__">
  globalThis.socket = new Promise((resolve) => {
    const ws = new WebSocket('ws://' + location.host + '/ws');
    ws.onopen = () => ws.send(JSON.stringify({ t: 'hello', versions: [1], client: 'panel' }));
    ws.onmessage = (event) => resolve(JSON.parse(event.data).t);
    ws.onerror = () => resolve('error');
  });
</script>
<script>globalThis.withoutNonce = true;</script>`;

describe('in a browser', () => {
  let browser: Browser;
  let subject: Subject;
  let page: Page;

  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: process.env['PATCHBAY_CHROMIUM'] ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
    });
  });
  afterAll(() => browser.close());

  beforeEach(async () => {
    subject = await start();
    writeFileSync(join(subject.folder, 'index.html'), PANEL);
    page = await (await browser.newContext()).newPage();
  });
  afterEach(async () => {
    await page.context().close();
    await subject.close();
  });

  const here = (path = '/') => `http://127.0.0.1:${subject.server.port}${path}`;

  it('a one-time link opens the panel, its code leaves the address bar, and the socket opens', async () => {
    await page.goto(subject.server.oneTimeLink());
    await page.waitForFunction('document.title === "test panel"');
    expect(page.url()).toBe(here());
    expect(await page.evaluate('socket')).toBe('welcome');
    expect(await page.evaluate('document.cookie')).toBe('');
    await page.goto(here('/topology'));
    expect(await page.title()).toBe('test panel');
  });

  it('a used link says so and how to get another, with no breach of the policy', async () => {
    const link = subject.server.oneTimeLink();
    await page.goto(link);
    await page.waitForFunction('document.title === "test panel"');
    await page.context().clearCookies();
    await page.goto('about:blank');
    const problems: string[] = [];
    page.on('console', (message) => {
      if (/Content Security Policy/.test(message.text())) problems.push(message.text());
    });
    await page.goto(link);
    await page.getByText('The code of this link is used up or expired.').waitFor();
    await page.getByText('patchbay status --link', { exact: true }).waitFor();
    expect(problems).toEqual([]);
  });

  it('no session shows the way in', async () => {
    await page.goto(here('/plugins'));
    await page.getByText('This browser has no session with this gateway.').waitFor();
    await page.getByText('one-time link').waitFor();
  });

  it('a script without the nonce, eval and foreign connections do not run', async () => {
    await page.goto(subject.server.oneTimeLink());
    await page.waitForFunction('document.title === "test panel"');
    const tried = await page.evaluate(`(async () => {
      const fetched = await fetch('http://localhost:1/').then(() => true, () => false);
      const { withoutNonce = false, evaluated = false } = globalThis;
      return { withoutNonce, evaluated, fetched };
    })()`);
    expect(tried).toEqual({ withoutNonce: false, evaluated: false, fetched: false });
    // The events come in tasks of their own.
    await page.waitForFunction(
      '["connect-src", "script-src", "script-src-elem"].every((kind) => violations.includes(kind))',
    );
  });

  describe('a foreign page, with the panel signed in beside it', () => {
    let foreign: Server;
    let foreignOrigin: string;

    beforeEach(async () => {
      foreign = createServer((_request, response) =>
        response.setHeader('content-type', 'text/html').end('<!doctype html><title>foreign</title>'),
      );
      await new Promise<void>((resolve) => foreign.listen(0, '127.0.0.1', resolve));
      const { port } = foreign.address() as AddressInfo;
      // Another port of the same host: the same site to a browser, cookies included, and yet not us.
      foreignOrigin = `http://127.0.0.1:${port}`;
      await page.goto(subject.server.oneTimeLink());
      await page.waitForFunction('document.title === "test panel"');
      await page.goto(foreignOrigin);
    });
    afterEach(() => new Promise((resolve) => foreign.close(resolve)));

    it('cannot open the WebSocket', async () => {
      const outcome = await page.evaluate(
        (url) =>
          new Promise<string>((resolve) => {
            const Socket = (
              globalThis as unknown as { WebSocket: new (url: string) => { onopen: () => void; onerror: () => void } }
            ).WebSocket;
            const socket = new Socket(url);
            socket.onopen = () => resolve('opened');
            socket.onerror = () => resolve('refused');
          }),
        `ws://127.0.0.1:${subject.server.port}/ws`,
      );
      expect(outcome).toBe('refused');
    });

    it('cannot read, post or frame anything', async () => {
      const read = await page.evaluate(
        (url) =>
          fetch(url, { credentials: 'include' }).then(
            (response) => `read ${response.status}`,
            () => 'refused',
          ),
        here('/session'),
      );
      expect(read).toBe('refused');
      // A form's kind of post needs no leave of ours to be sent; it must not use up the code.
      const code = subject.server.oneTimeLink().split('#code=')[1] ?? '';
      const body = JSON.stringify({ code });
      await page.evaluate(
        ({ url, text }) => fetch(url, { method: 'POST', mode: 'no-cors', body: text }).catch(() => undefined),
        { url: here('/session'), text: body },
      );
      const headers = { 'content-type': 'application/json' };
      expect((await subject.ask('/session', { method: 'POST', headers, body })).status).toBe(200);

      const framed = page.waitForResponse(here());
      await page.evaluate(
        `{ const frame = document.createElement('iframe'); frame.src = ${JSON.stringify(here())}; document.body.append(frame); }`,
      );
      expect((await framed).status()).toBe(403);
    });
  });
});
