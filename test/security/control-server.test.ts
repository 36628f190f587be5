import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { connectWebSocket } from '../../gateway-core/control/ws-client.ts';
import { createClient } from '../../gateway-core/protocol/client.ts';
import { READ_TOKEN, start, TOKEN, type Answer, type Subject } from './start.ts';

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const json = { 'content-type': 'application/json' };

describe('the control server', () => {
  const cleanUp: (() => unknown)[] = [];
  afterEach(async () => {
    for (const clean of cleanUp.splice(0).toReversed()) await clean();
  });

  async function started(options?: Parameters<typeof start>[0]): Promise<Subject> {
    const subject = await start(options);
    cleanUp.push(() => subject.close());
    return subject;
  }

  /** Sends bytes as they are and gives back all that came until the server closed. */
  function bytes(port: number, text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(text));
      let answer = '';
      socket.setEncoding('utf8');
      socket.on('data', (chunk: string) => (answer += chunk));
      socket.on('close', () => resolve(answer));
      socket.on('error', reject);
    });
  }

  function refusal(result: WebSocket | Answer): Answer {
    if (!(result instanceof WebSocket)) return result;
    result.terminate();
    throw new Error('the upgrade was let through');
  }

  describe('access', () => {
    it('leaves only health and readiness open', async () => {
      const { ask } = await started();
      expect(await ask('/healthz')).toMatchObject({ status: 200, body: '{"state":"running"}' });
      expect(await ask('/readyz')).toMatchObject({ status: 503, body: '{"ready":false,"state":"starting"}' });
      for (const path of ['/metrics', '/session', '/assets/index-abc.js', '/index.html', '/nothing.here']) {
        expect(await ask(path), path).toMatchObject({ status: 401, code: 'PB_NO_SESSION' });
      }
      expect((await ask('/')).body).not.toContain('index-abc.js');
    });

    it('takes a bearer token, the right one only, and nothing else for it', async () => {
      const { ask } = await started();
      expect(await ask('/metrics', { headers: bearer(TOKEN) })).toMatchObject({ status: 200, body: 'up 1\n' });
      expect((await ask('/metrics', { headers: bearer(READ_TOKEN) })).status).toBe(200);
      for (const authorization of [
        'Bearer wrong',
        `Bearer ${TOKEN}x`,
        `Bearer ${TOKEN.slice(1)}`,
        `Bearer ${TOKEN.slice(0, -1)}`,
        'Bearer ',
        'Bearer',
        `Basic ${TOKEN}`,
        '',
      ]) {
        expect(await ask('/metrics', { headers: { authorization } }), authorization).toMatchObject({
          status: 401,
          code: 'PB_BAD_TOKEN',
        });
      }
    });

    it('does not let a wrong token fall back to a cookie', async () => {
      const { ask, signIn } = await started();
      const { cookie } = await signIn();
      expect((await ask('/metrics', { headers: { cookie } })).status).toBe(200);
      expect(await ask('/metrics', { headers: { cookie, ...bearer('wrong') } })).toMatchObject({
        status: 401,
        code: 'PB_BAD_TOKEN',
      });
    });

    it('gives an empty list of read tokens, or an empty one, no power', async () => {
      const { ask } = await started({ readTokens: [''] });
      expect((await ask('/metrics', { headers: { authorization: 'Bearer ' } })).status).toBe(401);
      expect((await ask('/metrics', { headers: bearer(READ_TOKEN) })).status).toBe(401);
    });
  });

  describe('one-time links', () => {
    it('carry the code in the fragment of a link to this very address', async () => {
      const { server } = await started();
      expect(server.oneTimeLink()).toMatch(new RegExp(`^http://127\\.0\\.0\\.1:${server.port}/#code=[\\w-]{43}$`));
      expect(server.oneTimeLink()).not.toBe(server.oneTimeLink());
    });

    it('are good once', async () => {
      const { server, ask } = await started();
      const body = JSON.stringify({ code: server.oneTimeLink().split('#code=')[1] });
      expect((await ask('/session', { method: 'POST', headers: json, body })).status).toBe(200);
      const again = await ask('/session', { method: 'POST', headers: json, body });
      expect(again).toMatchObject({ status: 401, code: 'PB_BAD_CODE' });
      expect(again.headers['set-cookie']).toBeUndefined();
    });

    it('are good for 60 seconds', async () => {
      const { server, ask, later } = await started();
      const post = (link: string) =>
        ask('/session', { method: 'POST', headers: json, body: JSON.stringify({ code: link.split('#code=')[1] }) });
      const inTime = server.oneTimeLink();
      later(59_000);
      expect((await post(inTime)).status).toBe(200);
      const late = server.oneTimeLink();
      later(60_000);
      expect(await post(late)).toMatchObject({ status: 401, code: 'PB_BAD_CODE' });
    });

    it('cannot be guessed, nor asked for as a page of another site could', async () => {
      const { server, ask } = await started();
      const code = server.oneTimeLink().split('#code=')[1] ?? '';
      const body = JSON.stringify({ code });
      expect((await ask('/session', { method: 'POST', headers: json, body: '{"code":"guess"}' })).code).toBe(
        'PB_BAD_CODE',
      );
      for (const bad of [
        '',
        '{',
        '[]',
        'null',
        '{"code":1}',
        `{"code":"${'x'.repeat(300)}"}`,
        '{"__proto__":{"code":"x"}}',
      ]) {
        expect(await ask('/session', { method: 'POST', headers: json, body: bad }), bad).toMatchObject({
          status: 400,
          code: 'PB_BAD_REQUEST',
        });
      }
      for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
        expect(await ask('/session', { method: 'POST', headers: { 'content-type': type }, body }), type).toMatchObject({
          status: 415,
          code: 'PB_BAD_REQUEST',
        });
      }
      expect((await ask('/session', { method: 'POST', headers: json, body })).status).toBe(200);
    });

    it('are bounded: the oldest goes', async () => {
      const { server, ask } = await started();
      const first = server.oneTimeLink();
      for (let i = 0; i < 16; i++) server.oneTimeLink();
      const body = JSON.stringify({ code: first.split('#code=')[1] });
      expect((await ask('/session', { method: 'POST', headers: json, body })).code).toBe('PB_BAD_CODE');
    });
  });

  describe('sessions', () => {
    it('are a cookie that no script reads, no other site sends, named by the port', async () => {
      const { server, signIn } = await started();
      const { setCookie } = await signIn();
      expect(setCookie).toMatch(new RegExp(`^patchbay_${server.port}=[\\w-]{43}; Path=/; HttpOnly; SameSite=Strict$`));
    });

    it('end after a day without use, and are prolonged by use', async () => {
      const { ask, signIn, later } = await started();
      const { cookie } = await signIn();
      const hours = 60 * 60 * 1000;
      later(23 * hours);
      expect((await ask('/session', { headers: { cookie } })).body).toBe('{"access":"full"}');
      later(23 * hours);
      expect((await ask('/session', { headers: { cookie } })).status).toBe(200);
      later(25 * hours);
      expect((await ask('/session', { headers: { cookie } })).code).toBe('PB_NO_SESSION');
    });

    it('are bounded: the one unused for longest goes', async () => {
      const { ask, signIn } = await started();
      const first = await signIn();
      const second = await signIn();
      await ask('/session', { headers: { cookie: first.cookie } });
      for (let i = 0; i < 31; i++) await signIn();
      expect((await ask('/session', { headers: { cookie: second.cookie } })).status).toBe(401);
      expect((await ask('/session', { headers: { cookie: first.cookie } })).status).toBe(200);
    });

    it('outlive a restart by a file that holds no secret and only its owner reads', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'patchbay-sessions-'));
      cleanUp.push(() => rmSync(folder, { recursive: true }));
      const sessionFile = join(folder, 'sessions');
      const before = await start({ sessionFile });
      const values = [(await before.signIn()).cookie, (await before.signIn('read')).cookie].map(
        (cookie) => cookie.split('=')[1] ?? '',
      );
      await before.close();
      for (const value of values) expect(readFileSync(sessionFile, 'utf8')).not.toContain(value);
      expect(statSync(sessionFile).mode & 0o777).toBe(0o600);
      const { ask, server } = await started({ sessionFile });
      const answers = await Promise.all(
        values.map((value) => ask('/session', { headers: { cookie: `patchbay_${server.port}=${value}` } })),
      );
      expect(answers.map((answer) => answer.body)).toEqual(['{"access":"full"}', '{"access":"read"}']);
    });
  });

  describe('foreign pages', () => {
    it('get nothing under another name (DNS rebinding)', async () => {
      const { server, ask, upgrade } = await started();
      const { port } = server;
      for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`, `LOCALHOST:${port}`]) {
        expect((await ask('/metrics', { headers: { host, ...bearer(TOKEN) } })).status, host).toBe(200);
      }
      for (const host of [
        `evil.example:${port}`,
        'localhost',
        'localhost:1',
        `localhost.evil.example:${port}`,
        `127.0.0.1.evil.example:${port}`,
        `x@127.0.0.1:${port}`,
        `10.0.0.1:${port}`,
      ]) {
        for (const path of ['/', '/healthz', '/metrics', '/session', '/assets/index-abc.js']) {
          expect(await ask(path, { headers: { host, ...bearer(TOKEN) } }), `${host} ${path}`).toMatchObject({
            status: 403,
            code: 'PB_FOREIGN_HOST',
          });
        }
        expect(refusal(await upgrade({ host, ...bearer(TOKEN) })), host).toMatchObject({
          status: 403,
          code: 'PB_FOREIGN_HOST',
        });
      }
    });

    it('answers under the configured name', async () => {
      const { server, ask } = await started({ host: 'localhost' });
      expect((await ask('/healthz', { headers: { host: `localhost:${server.port}` } })).status).toBe(200);
    });

    it('get nothing from another origin', async () => {
      const { server, ask, upgrade, signIn } = await started();
      const { cookie } = await signIn();
      for (const origin of [
        'http://evil.example',
        'null',
        `http://localhost:${server.port}`,
        `https://127.0.0.1:${server.port}`,
        'http://127.0.0.1:1',
        '',
      ]) {
        for (const path of ['/', '/metrics', '/session']) {
          expect(await ask(path, { headers: { origin, cookie } }), `${origin} ${path}`).toMatchObject({
            status: 403,
            code: 'PB_FOREIGN_ORIGIN',
          });
        }
        expect(refusal(await upgrade({ origin, cookie })), origin).toMatchObject({
          status: 403,
          code: 'PB_FOREIGN_ORIGIN',
        });
        expect(refusal(await upgrade({ origin, ...bearer(TOKEN) })), origin).toMatchObject({
          status: 403,
          code: 'PB_FOREIGN_ORIGIN',
        });
      }
      const own = `http://127.0.0.1:${server.port}`;
      expect((await ask('/metrics', { headers: { origin: own, cookie } })).status).toBe(200);
    });

    it('get nothing when the browser says the request crosses sites', async () => {
      const { server, ask, upgrade, signIn } = await started();
      const { cookie } = await signIn();
      const origin = `http://127.0.0.1:${server.port}`;
      for (const site of ['cross-site', 'same-site']) {
        const headers = { cookie, 'sec-fetch-site': site };
        for (const path of ['/', '/metrics', '/session', '/assets/index-abc.js']) {
          expect(await ask(path, { headers }), `${site} ${path}`).toMatchObject({
            status: 403,
            code: 'PB_FOREIGN_ORIGIN',
          });
        }
        expect(refusal(await upgrade({ origin, ...headers })), site).toMatchObject({
          status: 403,
          code: 'PB_FOREIGN_ORIGIN',
        });
        // In a frame or an image it is no navigation either.
        const framed = { ...headers, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' };
        expect((await ask('/', { headers: framed })).status).toBe(403);
      }
      for (const site of ['same-origin', 'none']) {
        expect((await ask('/metrics', { headers: { cookie, 'sec-fetch-site': site } })).status, site).toBe(200);
      }
    });

    it('may link to the panel, and no further', async () => {
      const { ask } = await started();
      const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
      const page = await ask('/topology?node=decode', { headers });
      expect(page).toMatchObject({ status: 200 });
      expect(page.headers['content-type']).toContain('text/html');
      expect((await ask('/session', { method: 'POST', headers: { ...headers, ...json }, body: '{}' })).code).toBe(
        'PB_FOREIGN_ORIGIN',
      );
    });

    it('cannot open the WebSocket with the cookie alone, without an origin', async () => {
      const { server, upgrade, signIn } = await started();
      const { cookie } = await signIn();
      expect(refusal(await upgrade({ cookie })).code).toBe('PB_FOREIGN_ORIGIN');
      const socket = await upgrade({ cookie, origin: `http://127.0.0.1:${server.port}` });
      expect(socket).toBeInstanceOf(WebSocket);
      if (socket instanceof WebSocket) socket.terminate();
    });
  });

  describe('the WebSocket', () => {
    it('opens for nobody without token or session', async () => {
      const { server, upgrade } = await started();
      const origin = `http://127.0.0.1:${server.port}`;
      expect(refusal(await upgrade({ origin })).code).toBe('PB_NO_SESSION');
      expect(refusal(await upgrade({ origin, cookie: `patchbay_${server.port}=guess` })).code).toBe('PB_NO_SESSION');
      expect(refusal(await upgrade(bearer('wrong')))).toMatchObject({ status: 401, code: 'PB_BAD_TOKEN' });
      expect(refusal(await upgrade(bearer(TOKEN), '/elsewhere'))).toMatchObject({ status: 404, code: 'PB_NOT_FOUND' });
    });

    it('gives a read-only token read-only access', async () => {
      const { server } = await started();
      const client = createClient(connectWebSocket({ host: '127.0.0.1', port: server.port, token: READ_TOKEN }), {
        client: 'cli',
      });
      cleanUp.push(() => client.close());
      await client.opened();
      expect(client.state).toMatchObject({ name: 'open', access: 'read' });
      await expect(client.call('config.validate', { yaml: '' })).resolves.toBeDefined();
      await expect(client.call('flow.pause', { name: 'a' })).rejects.toMatchObject({ code: 'PB_READ_ONLY' });
      await expect(client.call('control.link', {})).rejects.toMatchObject({ code: 'PB_READ_ONLY' });
    });

    it('tells a client with a wrong token so, which then does not try again', async () => {
      const { server } = await started();
      const client = createClient(connectWebSocket({ host: '127.0.0.1', port: server.port, token: 'wrong' }), {
        client: 'cli',
      });
      cleanUp.push(() => client.close());
      await expect(client.opened()).rejects.toMatchObject({ code: 'PB_BAD_TOKEN' });
      expect(client.state.name).toBe('closed');
    });

    it('closes on a message that is too large, before it is read', async () => {
      const { upgrade } = await started({ protocolLimits: { frame: 1000 } });
      const socket = await upgrade(bearer(TOKEN));
      if (!(socket instanceof WebSocket)) throw new Error('no socket');
      socket.send('x'.repeat(4001));
      const [status] = (await once(socket, 'close')) as [number];
      expect(status).toBe(1009);
    });

    it('opens for so many clients and no more', async () => {
      const { upgrade } = await started({ httpLimits: { clients: 2 } });
      const sockets = [await upgrade(bearer(TOKEN)), await upgrade(bearer(TOKEN))];
      expect(refusal(await upgrade(bearer(TOKEN)))).toMatchObject({ status: 503, code: 'PB_TOO_MANY_CLIENTS' });
      for (const socket of sockets) if (socket instanceof WebSocket) socket.terminate();
      await vi.waitFor(async () => {
        const socket = await upgrade(bearer(TOKEN));
        expect(socket).toBeInstanceOf(WebSocket);
        if (socket instanceof WebSocket) socket.terminate();
      });
    });

    it('tells clients when the gateway stops', async () => {
      const subject = await start();
      const client = createClient(connectWebSocket({ host: '127.0.0.1', port: subject.server.port, token: TOKEN }), {
        client: 'cli',
        reconnect: false,
      });
      await client.opened();
      await subject.close();
      await vi.waitFor(() =>
        expect(client.state).toMatchObject({ name: 'closed', reason: { code: 'PB_GATEWAY_STOPPING' } }),
      );
    });
  });

  describe('pages', () => {
    const policyOf = (answer: Answer) => String(answer.headers['content-security-policy']);

    it('carry a policy that allows our files and this response’s nonce, and nothing else', async () => {
      const { ask, signIn } = await started();
      const { cookie } = await signIn();
      for (const headers of [{}, { cookie }]) {
        const first = await ask('/', { headers });
        const second = await ask('/', { headers });
        const nonce = /'nonce-([^']+)'/.exec(policyOf(first))?.[1] ?? '';
        expect(Buffer.from(nonce, 'base64')).toHaveLength(16);
        expect(policyOf(second)).not.toContain(nonce);
        expect(policyOf(first).split('; ')).toEqual([
          "default-src 'none'",
          `script-src 'self' 'nonce-${nonce}'`,
          `style-src 'self' 'nonce-${nonce}'`,
          "img-src 'self' data:",
          "font-src 'self'",
          "connect-src 'self'",
          "worker-src 'self'",
          "base-uri 'none'",
          "form-action 'none'",
          "frame-ancestors 'none'",
        ]);
        expect(first.body).toContain(`nonce="${nonce}"`);
        expect(first.body).not.toContain('__CSP_NONCE__');
        expect(first.headers['cache-control']).toBe('no-store');
      }
    });

    it('and everything else carry the other headers', async () => {
      const { ask } = await started();
      for (const path of ['/', '/healthz', '/metrics', '/nothing.here']) {
        expect((await ask(path)).headers, path).toMatchObject({
          'x-content-type-options': 'nosniff',
          'referrer-policy': 'no-referrer',
          'cross-origin-opener-policy': 'same-origin',
          'cross-origin-resource-policy': 'same-origin',
          'x-frame-options': 'DENY',
          'content-security-policy': expect.stringContaining("default-src 'none'") as string,
        });
      }
      expect((await ask('/healthz')).headers['access-control-allow-origin']).toBeUndefined();
    });

    it('tell someone without a session how to get in', async () => {
      const { ask } = await started();
      const door = await ask('/plugins/amqp1');
      expect(door.status).toBe(200);
      expect(door.body).toContain('npm run --silent gateway -- status --link');
    });

    it('say how to build the panel when it is not', async () => {
      const { ask, signIn } = await started({ panelFolder: '/nowhere/at/all' });
      const { cookie } = await signIn();
      expect((await ask('/', { headers: { cookie } })).body).toContain('The panel is not built');
    });

    it('serve the built files, and nothing outside their folder', async () => {
      const { ask, signIn, folder } = await started();
      const { cookie } = await signIn();
      const get = (path: string, headers = {}) => ask(path, { headers: { cookie, ...headers } });
      const script = await get('/assets/index-abc.js');
      expect(script).toMatchObject({ status: 200, body: 'export {};' });
      expect(script.headers).toMatchObject({
        'content-type': 'text/javascript; charset=utf-8',
        'cache-control': 'private, max-age=31536000, immutable',
      });
      const again = await get('/assets/index-abc.js', { 'if-none-match': String(script.headers.etag) });
      expect(again).toMatchObject({ status: 304, body: '' });
      const outside = `${folder.split('/').at(-1)}.txt`;
      for (const path of [
        `/../${outside}`,
        `/%2e%2e/${outside}`,
        `/..%2f${outside}`,
        `/assets/..%2f..%2f${outside}`,
        '/.secret.txt',
        '/%2esecret.txt',
        '/assets/%00.js',
        '/assets\\..\\index.html',
        '/assets/%zz.js',
        `//${outside}`,
      ]) {
        const answer = await get(path);
        expect(answer.status, path).toBeGreaterThanOrEqual(400);
        expect(answer.status, path).toBeLessThan(500);
        expect(answer.body, path).not.toMatch(/outside|hidden/);
      }
    });

    it('never send the door to another site by a path that looks like one', async () => {
      const { ask } = await started();
      expect((await ask('//evil.example/')).headers['content-type']).not.toContain('text/html');
    });
  });

  describe('limits', () => {
    it('refuses large headers and bodies', async () => {
      const { ask } = await started();
      expect(await ask('/healthz', { headers: { 'x-large': 'x'.repeat(20_000) } })).toMatchObject({
        status: 431,
        code: 'PB_REQUEST_TOO_LARGE',
      });
      expect(
        await ask('/session', { method: 'POST', headers: json, body: JSON.stringify({ code: 'x'.repeat(20_000) }) }),
      ).toMatchObject({
        status: 413,
        code: 'PB_REQUEST_TOO_LARGE',
      });
    });

    it('cuts requests whose headers come too slowly', async () => {
      const { server } = await started({
        httpLimits: { headersTimeout: 100, requestTimeout: 60_000, checkInterval: 20 },
      });
      const answer = await bytes(server.port, 'GET /healthz HTTP/1.1\r\nHost: loc');
      expect(answer).toMatch(/^HTTP\/1\.1 408 /);
      expect(answer).toContain('PB_REQUEST_TIMEOUT');
    });

    it('cuts requests whose body comes too slowly', async () => {
      const { server } = await started({ httpLimits: { headersTimeout: 100, requestTimeout: 200, checkInterval: 20 } });
      const head = `POST /session HTTP/1.1\r\nHost: localhost:${server.port}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n`;
      expect(await bytes(server.port, `${head}{`)).toMatch(/^HTTP\/1\.1 408 /);
    });

    it('answers what is not HTTP with a coded error', async () => {
      const { server } = await started();
      const answer = await bytes(server.port, 'AMQP\0\u0001\0\0\r\n\r\n');
      expect(answer).toMatch(/^HTTP\/1\.1 400 /);
      expect(answer).toContain('PB_BAD_REQUEST');
    });

    it('holds so many connections and no more', async () => {
      const { server } = await started({ httpLimits: { connections: 2 } });
      const idle = [connect(server.port, '127.0.0.1'), connect(server.port, '127.0.0.1')];
      await Promise.all(idle.map((socket) => once(socket, 'connect')));
      const third = connect(server.port, '127.0.0.1');
      third.on('error', () => undefined);
      await once(third, 'close');
      for (const socket of idle) socket.destroy();
    });

    it('answers unknown addresses and methods with coded errors', async () => {
      const { ask } = await started();
      expect(await ask('/nothing.here', { headers: bearer(TOKEN) })).toMatchObject({
        status: 404,
        code: 'PB_NOT_FOUND',
      });
      expect(await ask('/metrics', { method: 'DELETE', headers: bearer(TOKEN) })).toMatchObject({
        status: 404,
        code: 'PB_NOT_FOUND',
      });
    });

    it('names port, place and remedy when the address is taken or not ours', async () => {
      const { server } = await started();
      await expect(start({ port: server.port })).rejects.toMatchObject({
        code: 'PB_PORT_IN_USE',
        place: 'settings.control.port',
        message: expect.stringContaining(String(server.port)) as string,
        remedy: expect.stringContaining('settings.control.port') as string,
      });
      await expect(start({ host: '203.0.113.7' })).rejects.toMatchObject({
        code: 'PB_CONTROL_ADDRESS',
        place: 'settings.control.host',
      });
    });
  });
});
