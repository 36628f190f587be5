/** How long this disk takes to sync 4 KiB: what every acknowledgement of a spool waits for at least. */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SYNCS = 300;
const BLOCK = Buffer.alloc(4096, 1);

/** Milliseconds of single fdatasyncs, each after 4 KiB appended to a file where the benches keep their data. */
export function syncLatency(): { readonly p50: number; readonly p99: number } {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-bench-'));
  const file = openSync(join(folder, 'sync'), 'w');
  const times: number[] = [];
  try {
    for (let i = 0; i < SYNCS; i++) {
      const begun = performance.now();
      writeSync(file, BLOCK);
      fdatasyncSync(file);
      times.push(performance.now() - begun);
    }
  } finally {
    closeSync(file);
    rmSync(folder, { recursive: true, force: true });
  }
  times.sort((a, b) => a - b);
  return { p50: times[Math.floor(SYNCS * 0.5)] as number, p99: times[Math.floor(SYNCS * 0.99)] as number };
}
