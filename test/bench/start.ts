/** From the command to a gateway that is ready, with the demo's config, against bare starts of Node; and its memory once idle. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { demoConfig } from '../../gateway-core/engine/demo.ts';
import { show, summarise } from './statistics.ts';

const launcher = fileURLToPath(new URL('../../scripts/patchbay.mjs', import.meta.url));
const IDLE_MS = 10_000;

function bareStarts(): number {
  const begun = performance.now();
  for (let i = 0; i < 3; i++) spawnSync(process.execPath, ['-e', '0']);
  return performance.now() - begun;
}

async function oneStart(folder: string, idleMs: number): Promise<{ ms: number; rssMb: number }> {
  const config = join(folder, 'startup.yaml');
  writeFileSync(config, (await demoConfig()).replace(/port: \d+/, 'port: 0'));
  const begun = performance.now();
  const child = spawn(
    process.execPath,
    [launcher, 'run', config, '--data', join(folder, 'data'), '--control', '127.0.0.1:0'],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const gone = new Promise((resolve) => child.once('exit', resolve));
  await new Promise<void>((resolve, reject) => {
    let said = '';
    child.stdout.on('data', (text: Buffer) => {
      said += text.toString();
      if (said.includes('Control: ')) resolve();
    });
    child.once('exit', (code) => reject(new Error(`the gateway ended with ${String(code)}`)));
  });
  const ms = performance.now() - begun;
  await new Promise((resolve) => setTimeout(resolve, idleMs));
  const pages = Number(readFileSync(`/proc/${String(child.pid)}/statm`, 'utf8').split(' ')[1]);
  child.kill('SIGTERM');
  await gone;
  return { ms, rssMb: (pages * 4096) / 2 ** 20 };
}

export async function start(rounds: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-bench-'));
  try {
    const { rssMb } = await oneStart(folder, IDLE_MS);
    const ours: number[] = [];
    const bare: number[] = [];
    for (let i = 0; i < rounds; i++) {
      bare.push(bareStarts());
      ours.push((await oneStart(folder, 0)).ms);
    }
    console.log(`three bare starts of Node          ${show(summarise(bare), 0)} ms`);
    console.log(
      `from the command to ready          ${show(summarise(ours), 0)} ms   goal: the time of three bare starts, or 1 000 ms`,
    );
    console.log(`  ours against three bare starts   ${show(summarise(ours.map((ms, i) => ms / (bare[i] as number))))}`);
    console.log(`resident memory, demo, 10 s in     ${rssMb.toFixed(0)} MB   goal: at most 120 MB`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
