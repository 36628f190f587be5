import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventReport } from '../events/report.ts';
import { openSecrets, type Secrets } from './secrets.ts';

let folder: string;
let events: EventReport[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'patchbay-secrets-'));
  events = [];
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (env: Record<string, string> = {}): Secrets =>
  openSecrets(folder, { env, onEvent: (event) => events.push(event) });
const mode = (name: string): number => statSync(join(folder, name)).mode & 0o777;

describe('secrets', () => {
  it('keeps values over a restart, encrypted, with a key file of its own', async () => {
    const secrets = open();
    expect(await secrets.names()).toEqual([]);
    expect(existsSync(join(folder, 'secret-key'))).toBe(false);
    await Promise.all([secrets.set('es', 'hunter2 ü'), secrets.set('a.b-c_d', 'x'), secrets.set('gone', 'y')]);
    expect(await secrets.delete('gone')).toBe(true);
    expect(await secrets.delete('gone')).toBe(false);
    const again = open();
    expect(await again.names()).toEqual(['a.b-c_d', 'es']);
    expect(await again.get('es')).toBe('hunter2 ü');
    expect(await again.get('gone')).toBeUndefined();
    const file = readFileSync(join(folder, 'secrets'), 'utf8');
    expect(file).not.toContain('hunter2');
    expect(file).not.toContain('a.b-c_d');
    expect([mode('secrets'), mode('secret-key')]).toEqual([0o600, 0o600]);
    expect(readdirSync(folder).toSorted()).toEqual(['secret-key', 'secrets']);
  });

  it('takes the key from the environment, else from the systemd credential', async () => {
    await open({ PATCHBAY_SECRET_KEY: 'a pass phrase' }).set('n', 'v');
    expect(existsSync(join(folder, 'secret-key'))).toBe(false);
    const credentials = join(folder, 'credentials');
    mkdirSync(credentials);
    writeFileSync(join(credentials, 'patchbay-secret-key'), 'a pass phrase\n');
    expect(await open({ CREDENTIALS_DIRECTORY: credentials }).get('n')).toBe('v');
    expect(await open({ PATCHBAY_SECRET_KEY: 'a pass phrase', CREDENTIALS_DIRECTORY: '/none' }).get('n')).toBe('v');
  });

  it.each([
    ['a wrong key', { PATCHBAY_SECRET_KEY: 'wrong' }],
    ['no key', {}],
  ])('rejects with %s, and overwrites nothing', async (_name, env) => {
    await open({ PATCHBAY_SECRET_KEY: 'right' }).set('n', 'v');
    const secrets = open(env as Record<string, string>);
    const unreadable = { code: 'PB_SECRETS_UNREADABLE', remedy: expect.stringContaining('former key') as string };
    await expect(secrets.get('n')).rejects.toMatchObject(unreadable);
    await expect(secrets.names()).rejects.toMatchObject(unreadable);
    await expect(secrets.set('n', 'w')).rejects.toMatchObject(unreadable);
    await expect(secrets.delete('n')).rejects.toMatchObject(unreadable);
    expect(await open({ PATCHBAY_SECRET_KEY: 'right' }).get('n')).toBe('v');
  });

  it('rejects a file in which any part was changed', async () => {
    await open({ PATCHBAY_SECRET_KEY: 'k' }).set('n', 'v');
    const path = join(folder, 'secrets');
    const original = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    const other = (text: string): string => (text.startsWith('A') ? 'B' : 'A') + text.slice(1);
    const changes: Record<string, unknown>[] = [
      { patchbaySecrets: 2 },
      { patchbaySecrets: 'x' },
      { kdf: 'hkdf-sha256' },
      { kdf: 'none' },
      ...['salt', 'iv', 'tag', 'data'].flatMap((part) => [
        { [part]: other(original[part] as string) },
        { [part]: '' },
        { [part]: 5 },
      ]),
      // A tag cut to four bytes would be easy to guess.
      {
        tag: Buffer.from(original['tag'] as string, 'base64')
          .subarray(0, 4)
          .toString('base64'),
      },
    ];
    for (const change of changes) {
      writeFileSync(path, JSON.stringify({ ...original, ...change }));
      await expect(open({ PATCHBAY_SECRET_KEY: 'k' }).get('n'), JSON.stringify(change)).rejects.toMatchObject({
        code: 'PB_SECRETS_UNREADABLE',
      });
    }
    for (const text of ['', 'null', '{', '[]', readFileSync(path, 'utf8').slice(0, 40)]) {
      writeFileSync(path, text);
      await expect(open({ PATCHBAY_SECRET_KEY: 'k' }).get('n')).rejects.toMatchObject({
        code: 'PB_SECRETS_UNREADABLE',
      });
    }
  });

  it('closes files that are open to others, and says so', async () => {
    await open().set('n', 'v');
    chmodSync(join(folder, 'secrets'), 0o640);
    chmodSync(join(folder, 'secret-key'), 0o604);
    expect(await open().get('n')).toBe('v');
    expect([mode('secrets'), mode('secret-key')]).toEqual([0o600, 0o600]);
    expect(events.map((event) => event.subject)).toEqual(['secrets', 'secret-key']);
  });

  it('rejects bad names and values', async () => {
    const secrets = open();
    for (const [name, value] of [
      ['', 'v'],
      ['../x', 'v'],
      ['n', ''],
      ['n', 'x'.repeat(65_537)],
    ] as const) {
      await expect(secrets.set(name, value)).rejects.toMatchObject({ code: 'PB_SECRET_INVALID' });
    }
  });

  it('keeps what it had when it cannot be stored', async () => {
    const secrets = open({ PATCHBAY_SECRET_KEY: 'k' });
    await secrets.set('n', 'v');
    const path = folder;
    rmSync(path, { recursive: true });
    await expect(secrets.set('n', 'w')).rejects.toMatchObject({ code: 'PB_SECRETS_UNWRITABLE' });
    expect(await secrets.get('n')).toBe('v');
    mkdirSync(path);
  });
});
