/** A gateway whose sink `out` has a peer that can be away, with the panel in front of it; fresh for every test. */
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import type { StatusReport } from '../../gateway-core/protocol/model.ts';
import { eventually, freePort } from '../peers/program.ts';
import { awayPeer, sendEvents, type AwayPeer } from './away-peer.ts';
import { finish, openPanel, startBrowser, startGateway, type Panel, type RunningGateway } from './gateway.ts';

const config = (folder: string, port: number, max: string): string => `version: 1
sources:
  in: { plugin: http-events, config: { port: ${port} } }
  other: { plugin: generator, config: { rate: 50 } }
handlers:
  keep: { plugin: filter, config: { where: 'true' } }
sinks:
  out: { plugin: peer, config: { folder: ${folder} }, buffer: { kind: disk, max: ${max} } }
  log: { plugin: console }
pipelines:
  flow: { from: [in], through: [keep], to: [out, log] }
  side: { from: [other], to: [log] }
`;

export class SpoolStage {
  peer!: AwayPeer;
  gateway!: RunningGateway;
  panel!: Panel;
  private browser!: Browser;
  private port = 0;
  private started = false;

  /** To be called once in a test file. */
  constructor() {
    beforeAll(async () => {
      this.browser = await startBrowser();
    });
    afterAll(() => this.browser.close());
    beforeEach(async () => {
      this.started = false;
      this.peer = await awayPeer();
      this.port = await freePort();
    });
    afterEach(async () => {
      if (this.started) expect(await finish(this.panel, this.gateway)).toEqual([]);
      await this.peer.remove();
    });
  }

  get page(): Page {
    return this.panel.page;
  }

  async start(max = '64MiB', theme: 'light' | 'dark' = 'light'): Promise<void> {
    this.gateway = await startGateway(config(this.peer.folder, this.port, max), undefined, this.peer.prepare);
    this.started = true;
    this.panel = await openPanel(this.browser, this.gateway, { theme });
  }

  /** Kills the gateway and starts it anew on the same data, with a panel of its own. */
  async startAgain(): Promise<void> {
    await this.panel.close();
    this.gateway.client.close();
    await this.gateway.program.end('SIGKILL');
    this.gateway = await startGateway(undefined, this.gateway);
    this.panel = await openPanel(this.browser, this.gateway);
  }

  until(what: string, holds: (report: StatusReport) => boolean): Promise<StatusReport> {
    return eventually(
      () => what,
      async () => {
        const report = await this.gateway.client.call('status.get', {});
        return holds(report) ? report : undefined;
      },
      20_000,
    );
  }

  /** Sends so many, which are accepted and then lie in the spool. */
  async accepted(count: number): Promise<StatusReport> {
    expect(await sendEvents(this.port, count)).toBe(count);
    return this.until(`${count} spooled`, ({ sinks }) => sinks['out']?.spooled === count);
  }

  /** Sends more than the spool has room for: the pipeline waits. */
  async fill(): Promise<StatusReport> {
    expect(await sendEvents(this.port, 5_000)).toBeLessThan(5_000);
    return this.until('blocked', ({ pipelines }) => pipelines['flow']?.state === 'blocked');
  }

  inspector(): Locator {
    return this.page.getByRole('complementary', { name: 'Inspector' });
  }

  edge(way: string): Locator {
    return this.page.locator(`[data-edge="${way}"]`);
  }

  node(name: string): Locator {
    return this.page.locator(`[data-node="${name}"]`);
  }
}
