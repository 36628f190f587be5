/** A sink whose peer can be away: a folder, away while there is a file `away` in it. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writePlugin } from '../faults/rig.ts';

const CODE = `
import { appendFileSync, existsSync } from 'node:fs';
import { defineSink, NotConnectedError } from 'patchbay/plugin-api';
const check = (folder) => { if (existsSync(folder + '/away')) throw new NotConnectedError('the peer is away'); };
export default defineSink({
  custody: 'remote',
  create: ({ config }) => ({
    open() { check(config.folder); },
    write(batch) {
      check(config.folder);
      appendFileSync(config.folder + '/got', batch.map((m) => String(m.data) + '\\n').join(''));
    },
    close() {},
  }),
});
`;

const SCHEMA = {
  type: 'object',
  required: ['folder'],
  properties: { folder: { type: 'string', title: 'Folder', description: 'Where the peer lives.' } },
  additionalProperties: false,
};

export interface AwayPeer {
  readonly folder: string;
  /** Puts the plugin `peer` into a data folder. */
  readonly prepare: (data: string) => Promise<void>;
  leave(): void;
  comeBack(): void;
  /** How many messages it has taken. */
  got(): number;
  remove(): Promise<void>;
}

/** The peer is away at first. */
export async function awayPeer(): Promise<AwayPeer> {
  const folder = await mkdtemp(join(tmpdir(), 'patchbay-peer-'));
  const away = join(folder, 'away');
  const got = join(folder, 'got');
  writeFileSync(away, '');
  return {
    folder,
    async prepare(data) {
      await writePlugin(data, {
        name: 'peer',
        kind: 'sink',
        code: CODE,
        files: { 'schema.json': JSON.stringify(SCHEMA) },
        manifest: {
          contributes: [
            {
              kind: 'sink',
              name: 'peer',
              main: './main.js',
              accepts: ['*'],
              custody: 'remote',
              config: { $ref: './schema.json' },
            },
          ],
          permissions: { files: [`readwrite:${folder}/*`, `readwrite:${folder}`] },
        },
      });
    },
    leave: () => writeFileSync(away, ''),
    comeBack: () => rmSync(away, { force: true }),
    got: () => (existsSync(got) ? readFileSync(got, 'utf8').trim().split('\n').filter(Boolean).length : 0),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Messages over HTTP in batches of 50; how many were accepted before the first that was not. */
export async function sendEvents(port: number, count: number): Promise<number> {
  for (let sent = 0; sent < count; sent += 50) {
    const size = Math.min(50, count - sent);
    const answer = await fetch(`http://127.0.0.1:${port}/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/cloudevents-batch+json' },
      body: JSON.stringify(
        Array.from({ length: size }, (_, n) => ({
          specversion: '1.0',
          id: `${sent + n}`,
          source: '/t',
          type: 't',
          data: sent + n,
        })),
      ),
      signal: AbortSignal.timeout(3_000),
    }).catch(() => undefined);
    if (answer?.status !== 202) return sent;
  }
  return count;
}
