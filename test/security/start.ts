import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import {
  startControlServer,
  type ControlServer,
  type ControlServerOptions,
} from '../../gateway-core/control/server.ts';
import type { Access } from '../../gateway-core/protocol/frames.ts';
import { testEngine, type TestEngine } from '../contract/engine.ts';

export const TOKEN = 'full-access-token';
export const READ_TOKEN = 'read-only-token';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Of a coded error, else empty. */
  readonly code: string;
}

export interface Subject {
  readonly server: ControlServer;
  readonly engine: TestEngine;
  readonly folder: string;
  /** Moves the server's clock on. */
  later(ms: number): void;
  /** One request; unlike fetch it sends any header it is told to, Host included. */
  ask(path: string, init?: { method?: string; headers?: Record<string, string>; body?: string }): Promise<Answer>;
  /** Trades a fresh one-time link for a session cookie. */
  signIn(access?: Access): Promise<{ cookie: string; setCookie: string }>;
  /** Tries the upgrade: the socket, or the refusal. */
  upgrade(headers: Record<string, string>, path?: string): Promise<WebSocket | Answer>;
  close(): Promise<void>;
}

const quiet = (): void => undefined;

/** A control server with a small panel of its own. */
export async function start(options: Partial<ControlServerOptions> = {}): Promise<Subject> {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-panel-'));
  mkdirSync(join(folder, 'assets'));
  writeFileSync(
    join(folder, 'index.html'),
    '<!doctype html><meta property="csp-nonce" nonce="__CSP_NONCE__"><script type="module" nonce="__CSP_NONCE__" src="/assets/index-abc.js"></script>',
  );
  writeFileSync(join(folder, 'assets', 'index-abc.js'), 'export {};');
  writeFileSync(join(folder, '.secret.txt'), 'hidden');
  writeFileSync(`${folder}.txt`, 'outside');
  const engine = testEngine();
  let offset = 0;
  const server = await startControlServer({
    host: '127.0.0.1',
    port: 0,
    token: TOKEN,
    readTokens: [READ_TOKEN],
    handlers: engine,
    panelFolder: folder,
    metrics: () => Promise.resolve('up 1\n'),
    health: () => ({ state: 'running' }),
    ready: () => ({ ready: false, state: 'starting' }),
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
    now: () => Date.now() + offset,
    ...options,
  });

  function ask(
    path: string,
    init: { method?: string; headers?: Record<string, string>; body?: string } = {},
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const { method = 'GET', headers = {}, body } = init;
      const request = httpRequest(
        { host: '127.0.0.1', port: server.port, path, method, headers, agent: false },
        (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => (text += chunk));
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text, code: codeOf(text) }),
          );
        },
      );
      request.on('error', reject);
      request.end(body);
    });
  }

  const subject: Subject = {
    server,
    engine,
    folder,
    later: (ms) => {
      offset += ms;
    },
    ask,
    async signIn(access = 'full') {
      const code = server.oneTimeLink(access).split('#code=')[1] ?? '';
      const answer = await ask('/session', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ code }),
      });
      const setCookie = answer.headers['set-cookie']?.[0] ?? '';
      return { setCookie, cookie: setCookie.split(';')[0] ?? '' };
    },
    upgrade(headers, path = '/ws') {
      return new Promise((resolve, reject) => {
        const socket = new WebSocket(`ws://127.0.0.1:${server.port}${path}`, { headers });
        socket.once('open', () => resolve(socket));
        socket.on('error', reject);
        socket.once('unexpected-response', (_request, response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => (text += chunk));
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text, code: codeOf(text) }),
          );
        });
      });
    },
    async close() {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
      rmSync(`${folder}.txt`, { force: true });
    },
  };
  return subject;
}

function codeOf(body: string): string {
  try {
    return (JSON.parse(body) as { error?: { code?: string } }).error?.code ?? '';
  } catch {
    return '';
  }
}
