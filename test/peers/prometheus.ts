import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, freePort, startProgram, type Program } from './program.ts';

/** One series of an answer to a query. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  /** Seconds since the epoch, and the value as text. */
  readonly value: readonly [number, string];
}

export interface Target {
  readonly health: string;
  readonly lastError: string;
}

/** A real Prometheus (Debian's) that scrapes one port every second. */
export interface Prometheus {
  readonly program: Program;
  /** An instant query, `http://…/api/v1/query`. */
  query(expression: string): Promise<readonly Sample[]>;
  /** What it thinks of our endpoint: `up` and no error when the text can be read. */
  targets(): Promise<readonly Target[]>;
  /** Ends it and removes its files. */
  remove(): Promise<void>;
}

export async function startPrometheus(scrapedPort: number): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-prometheus-'));
  const port = await freePort();
  const file = join(folder, 'prometheus.yml');
  writeFileSync(
    file,
    `global: { scrape_interval: 1s, scrape_timeout: 1s }
scrape_configs:
  - job_name: patchbay
    static_configs: [{ targets: ['127.0.0.1:${scrapedPort}'] }]
`,
  );
  const program = startProgram('prometheus', [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--log.level=warn',
  ]);
  const get = async <T>(path: string): Promise<T> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    const answer = (await response.json()) as { status: string; error?: string; data: T };
    if (answer.status !== 'success') throw new Error(answer.error ?? `HTTP ${response.status}`);
    return answer.data;
  };
  const prometheus: Prometheus = {
    program,
    query: async (expression) =>
      (await get<{ result: readonly Sample[] }>(`/api/v1/query?query=${encodeURIComponent(expression)}`)).result,
    targets: async () => (await get<{ activeTargets: readonly Target[] }>('/api/v1/targets')).activeTargets,
    async remove() {
      await program.end('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
  try {
    await eventually(
      () => `Prometheus answers. It says: ${program.output()}`,
      async () => {
        if (!program.running) throw new Error(`Prometheus ended: ${program.output()}`);
        const response = await fetch(`http://127.0.0.1:${port}/-/ready`);
        return response.ok || undefined;
      },
    );
  } catch (error) {
    await prometheus.remove();
    throw error;
  }
  return prometheus;
}
