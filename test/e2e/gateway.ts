/** A real gateway with the built panel, and a real browser in front of it. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { AxeBuilder } from '@axe-core/playwright';
import { chromium, type Browser, type Locator, type Page } from 'playwright-core';
import { connectWebSocket } from '../../gateway-core/control/ws-client.ts';
import { createClient, type Client } from '../../gateway-core/protocol/client.ts';
import { eventually, startProgram, type Program } from '../peers/program.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface RunningGateway {
  readonly url: string;
  readonly data: string;
  /** Full access, as the command line has it. */
  readonly client: Client;
  readonly program: Program;
  stop(): Promise<void>;
}

/**
 * Starts `patchbay run` on a free port with a data folder of its own. Without `yaml`: first run.
 * `after`: the same gateway anew, on the same data folder and port; the former one must be gone.
 * `prepare`: puts into the data folder what must be there before the start, such as a plugin.
 */
export async function startGateway(
  yaml?: string,
  after?: RunningGateway,
  prepare?: (data: string) => Promise<void>,
): Promise<RunningGateway> {
  await builtPanel();
  const data = after?.data ?? (await mkdtemp(join(tmpdir(), 'patchbay-e2e-')));
  await prepare?.(data);
  if (yaml !== undefined) await writeFile(join(data, 'startup.yaml'), yaml);
  const program = startProgram(process.execPath, [
    join(ROOT, 'gateway-core/cli/main.ts'),
    'run',
    '--data',
    data,
    '--control',
    after === undefined ? '127.0.0.1:0' : new URL(after.url).host,
  ]);
  try {
    return await reach(program, data);
  } catch (error) {
    await program.end('SIGKILL');
    throw error;
  }
}

/** Waits for the gateway's address and connects to it. */
async function reach(program: Program, data: string): Promise<RunningGateway> {
  const url = await eventually(
    () => `the gateway's control address, in ${program.output()}`,
    () => {
      if (!program.running) throw new Error(program.output());
      return /^Control: (http:\S+)$/m.exec(program.output())?.[1];
    },
    30_000,
  );
  const { hostname, port } = new URL(url);
  const token = (await readFile(join(data, 'control-token'), 'utf8')).trim();
  const client = createClient(connectWebSocket({ host: hostname, port: Number(port), token }), { client: 'test' });
  await client.opened();
  return {
    url,
    data,
    client,
    program,
    async stop() {
      client.close();
      await program.end('SIGKILL');
      await rm(data, { recursive: true, force: true });
    },
  };
}

/**
 * Ends panel and gateway, whatever state a test left them in: a gateway that stays slows down every
 * later test. Resolves with the panel's faults.
 */
export async function finish(
  panel: Panel | undefined,
  gateway: RunningGateway | undefined,
): Promise<readonly string[]> {
  try {
    await panel?.close();
  } finally {
    await gateway?.stop();
  }
  return panel?.faults ?? [];
}

let built: Promise<unknown> | undefined;

/** Builds the panel unless dist/renderer is newer than every source of it. */
function builtPanel(): Promise<unknown> {
  const index = join(ROOT, 'dist/renderer/index.html');
  const newest = Math.max(...['renderer', 'gateway-core/protocol'].map((folder) => newestIn(join(ROOT, folder))));
  if (existsSync(index) && statSync(index).mtimeMs > newest) return Promise.resolve();
  const vite = join(ROOT, 'node_modules/vite/bin/vite.js');
  built ??= promisify(execFile)(process.execPath, [vite, 'build', '-c', join(ROOT, 'renderer/vite.config.ts')], {
    cwd: ROOT,
    // The test runner's own value would build React for development, seven times as slow.
    env: { ...process.env, NODE_ENV: 'production' },
  });
  return built;
}

function newestIn(folder: string): number {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !entry.name.includes('.test.'));
  return Math.max(0, ...files.map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs));
}

export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env['PATCHBAY_CHROMIUM'] ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

export interface Panel {
  readonly page: Page;
  /** Errors of the page and breaches of its policy, as they happened. */
  readonly faults: readonly string[];
  go(path: string): Promise<void>;
  close(): Promise<void>;
}

export interface PanelOptions {
  readonly theme?: 'light' | 'dark';
  readonly width?: number;
  readonly height?: number;
}

/** Opens the panel by a one-time link, as a person would. */
export async function openPanel(browser: Browser, gateway: RunningGateway, options: PanelOptions = {}): Promise<Panel> {
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1280, height: options.height ?? 800 },
    colorScheme: options.theme ?? 'light',
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(`error: ${error.stack ?? error.message}`));
  page.on('console', (message) => {
    if (message.text().startsWith('csp-violation')) faults.push(message.text());
  });
  // As text: this file is for Node, its types know no DOM.
  await page.addInitScript({
    content: `document.addEventListener('securitypolicyviolation', (event) =>
      console.warn('csp-violation', event.violatedDirective, event.blockedURI, event.sourceFile, event.lineNumber));`,
  });
  try {
    const { link } = await gateway.client.call('control.link', {});
    await page.goto(link);
    // The link's page leads on by itself: only the panel has a foot.
    await page
      .locator('footer')
      .getByText(/^connected/)
      .waitFor();
  } catch (error) {
    await context.close();
    throw error;
  }
  return {
    page,
    faults,
    async go(path) {
      await page.goto(new URL(path, gateway.url).href);
      await page.waitForSelector('main');
    },
    close: () => context.close(),
  };
}

/** What axe finds wrong, one line each; empty is right. */
export async function axeFindings(page: Page): Promise<readonly string[]> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
    .analyze();
  return violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.target.join(' ')}: ${node.failureSummary ?? ''}`),
  );
}

/** True when something sticks out sideways, of the page or of its main part. */
export function overflows(page: Page): Promise<boolean> {
  return page.evaluate<boolean>(`(() => {
    const main = document.querySelector('main');
    return document.documentElement.scrollWidth > window.innerWidth || main.scrollWidth > main.clientWidth;
  })()`);
}

/** True when what the locator finds has the focus. */
export async function hasFocus(target: Locator): Promise<boolean> {
  return (await target.and(target.page().locator(':focus')).count()) > 0;
}
