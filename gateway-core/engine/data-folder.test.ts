import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventReport } from '../events/report.ts';
import { defaultDataFolder, holder, openDataFolder, readControlToken, type DataFolder } from './data-folder.ts';

let scratch: string;
let path: string;
let events: EventReport[];
let opened: DataFolder[];
let children: ChildProcess[];

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'patchbay-folder-'));
  path = join(scratch, 'deep', 'data');
  events = [];
  opened = [];
  children = [];
});

afterEach(async () => {
  for (const folder of opened) await folder.close();
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  rmSync(scratch, { recursive: true, force: true });
});

async function open(): Promise<DataFolder> {
  const folder = await openDataFolder(path, { onEvent: (event) => events.push(event) });
  opened.push(folder);
  return folder;
}

/** Another process that opens the folder, announces an address, and stays. Resolves with what it said. */
async function other(): Promise<{ child: ChildProcess; said: string }> {
  const script = `
    import { openDataFolder } from ${JSON.stringify(new URL('./data-folder.ts', import.meta.url).href)};
    try {
      const folder = await openDataFolder(process.argv[1]);
      await folder.announce('http://127.0.0.1:7080');
      console.log('open');
      setInterval(() => {}, 1000);
    } catch (error) {
      console.log(error.code);
    }`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  for await (const line of createInterface({ input: child.stdout })) return { child, said: line };
  throw new Error('the other process ended without a word');
}

const mode = (file: string): number => statSync(file).mode & 0o777;

describe('openDataFolder', () => {
  it('makes the folder for its owner alone, with a token that stays', async () => {
    const folder = await open();
    expect(folder.controlToken).toMatch(/^[\w-]{43}$/);
    for (const name of ['', 'store', 'logs', 'plugins']) expect(mode(join(path, name))).toBe(0o700);
    expect(mode(join(path, 'control-token'))).toBe(0o600);
    expect(await readControlToken(path)).toBe(folder.controlToken);
    await folder.close();
    expect((await open()).controlToken).toBe(folder.controlToken);
    expect(events).toEqual([]);
  });

  it('closes a token that is open to others, and says so', async () => {
    const { controlToken, close } = await open();
    await close();
    chmodSync(join(path, 'control-token'), 0o644);
    expect((await open()).controlToken).toBe(controlToken);
    expect(mode(join(path, 'control-token'))).toBe(0o600);
    expect(events).toMatchObject([{ code: 'PB_TOKEN_PERMISSIONS', details: { mode: '0644' } }]);
  });

  it('replaces a token that is cut short', async () => {
    await (await open()).close();
    writeFileSync(join(path, 'control-token'), 'abc');
    expect((await open()).controlToken).toMatch(/^[\w-]{43}$/);
  });

  it('names the holder to a second one in the same process', async () => {
    const folder = await open();
    await folder.announce('http://127.0.0.1:1');
    await expect(open()).rejects.toMatchObject({
      code: 'PB_DATA_LOCKED',
      details: { path, pid: process.pid, control: 'http://127.0.0.1:1' },
    });
    expect(await holder(path)).toMatchObject({ pid: process.pid, control: 'http://127.0.0.1:1' });
    await folder.close();
    expect(await holder(path)).toBeUndefined();
    expect(existsSync(join(path, 'lock'))).toBe(false);
  });

  it('names the holder in another process, and takes over when that one was killed', async () => {
    const { child, said } = await other();
    expect(said).toBe('open');
    expect(await holder(path)).toMatchObject({ pid: child.pid, control: 'http://127.0.0.1:7080' });
    await expect(open()).rejects.toMatchObject({ code: 'PB_DATA_LOCKED', details: { pid: child.pid } });
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(existsSync(join(path, 'lock'))).toBe(true);
    expect(await holder(path)).toBeUndefined();
    await open();
    expect(await holder(path)).toMatchObject({ pid: process.pid });
  });

  it('lets exactly one of several have it, started at once', async () => {
    const said = (await Promise.all([other(), other(), other()])).map((one) => one.said);
    expect(said.toSorted()).toEqual(['PB_DATA_LOCKED', 'PB_DATA_LOCKED', 'open']);
  });

  it('takes over from a process whose pid another one has now', async () => {
    await (await open()).close();
    const stale = { pid: process.ppid, started: 1, control: 'http://old', process: 'another-boot:1' };
    writeFileSync(join(path, 'lock'), JSON.stringify(stale));
    await open();
    expect(JSON.parse(readFileSync(join(path, 'lock'), 'utf8'))).toMatchObject({ pid: process.pid, control: '' });
  });

  it.runIf(process.platform === 'linux')('refuses when the lock was deleted under a holder that runs', async () => {
    const { child } = await other();
    rmSync(join(path, 'lock.db'));
    await expect(open()).rejects.toMatchObject({ code: 'PB_DATA_LOCKED', details: { pid: child.pid } });
  });

  it('takes garbage in the lock files for no holder', async () => {
    await (await open()).close();
    writeFileSync(join(path, 'lock'), '{"pid": "x');
    writeFileSync(join(path, 'lock.db'), 'garbage '.repeat(200));
    const folder = await open();
    await expect(openDataFolder(path)).rejects.toMatchObject({ code: 'PB_DATA_LOCKED' });
    await folder.close();
  });

  it('rejects with a code what is not a folder', async () => {
    writeFileSync(join(scratch, 'file'), '');
    for (const bad of [join(scratch, 'file'), join(scratch, 'file', 'below')]) {
      await expect(openDataFolder(bad)).rejects.toMatchObject({ code: 'PB_DATA_NOT_FOLDER' });
    }
  });

  it.runIf(process.platform === 'linux')('rejects with a code what cannot be written', async () => {
    await expect(openDataFolder('/proc/patchbay')).rejects.toMatchObject({ code: 'PB_DATA_UNWRITABLE' });
  });
});

describe('defaultDataFolder', () => {
  it.each([
    ['linux', { HOME: '/home/a' }, '/home/a/.local/share/patchbay'],
    ['linux', { HOME: '/home/a', XDG_DATA_HOME: '/xdg' }, '/xdg/patchbay'],
    ['linux', { HOME: '/home/a', XDG_DATA_HOME: 'relative' }, '/home/a/.local/share/patchbay'],
    ['linux', { HOME: '/home/a', PATCHBAY_DATA: '/srv/pb' }, '/srv/pb'],
    ['darwin', { HOME: '/Users/a' }, '/Users/a/Library/Application Support/patchbay'],
  ] as const)('on %s with %j is %s', (platform, env, expected) => {
    expect(defaultDataFolder(env, platform)).toBe(expected);
  });
});
