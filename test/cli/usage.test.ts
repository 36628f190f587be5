/** Help and exit codes: 0 ok, 1 failed, 2 usage, 78 config error (design §9). */
import { afterAll, describe, expect, it } from 'vitest';
import { program } from '../../gateway-core/cli/main.ts';
import { VERSION } from '../../gateway-core/engine/version.ts';
import { file, folder, json, patchbay, removeFolders } from './patchbay.ts';

afterAll(removeFolders);

/** Every command that does something, as it is typed: `config show`. */
function commands(): string[][] {
  const found: string[][] = [];
  const walk = (command: ReturnType<typeof program>, path: string[]): void => {
    if (command.commands.length === 0) found.push(path);
    for (const sub of command.commands) walk(sub, [...path, sub.name()]);
  };
  walk(
    program(() => undefined),
    [],
  );
  return found;
}

describe('help', () => {
  it('is there for the program and for every command, in this process', () => {
    const paths = commands().map((path) => path.join(' '));
    for (const needed of [
      'run',
      'validate',
      'status',
      'tap',
      'pause',
      'resume',
      'drain',
      'plugins list',
      'plugins show',
    ])
      expect(paths).toContain(needed);
    for (const needed of ['plugins new', 'plugins test', 'events list', 'events follow'])
      expect(paths).toContain(needed);
    for (const needed of ['show', 'plan', 'apply', 'history', 'rollback']) expect(paths).toContain(`config ${needed}`);
    for (const path of commands()) {
      let command = program(() => undefined);
      for (const name of path) {
        const next = command.commands.find((sub) => sub.name() === name);
        if (next === undefined) throw new Error(`no ${name}`);
        command = next as typeof command;
      }
      const help = command.helpInformation();
      expect(help).toContain(`Usage: patchbay ${path.join(' ')}`);
      expect(command.description(), path.join(' ')).toMatch(/\w/);
      // Every one answers in JSON too.
      expect(help, path.join(' ')).toContain('--json');
      for (const option of command.options)
        expect(option.description, `${path.join(' ')} ${option.flags}`).toMatch(/\w/);
    }
  });

  it.each([['--help'], ['tap', '--help'], ['config', 'rollback', '--help']])('exits 0: %s %s %s', async (...args) => {
    const { code, stdout, stderr } = await patchbay(args.filter((arg) => typeof arg === 'string'));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('Usage: patchbay');
  });

  it('--version says which it is', async () => {
    expect(await patchbay(['--version'])).toMatchObject({ code: 0, stdout: `${VERSION}\n` });
  });
});

describe('wrong usage exits 2 and says what is wrong on standard error', () => {
  it.each([
    [['nonsense'], 'nonsense'],
    [['tap'], 'instance'],
    [['tap', 'demo', '--count', 'ten'], 'whole number'],
    [['tap', 'demo', '--rate', '0'], 'whole number'],
    [['config'], 'Usage'],
    [['config', 'rollback', 'last'], 'whole number'],
    [['events', 'list', '--severity', 'loud'], 'critical'],
    [['status', '--nonsense'], '--nonsense'],
    [['run', 'a.yaml', 'b.yaml'], 'arguments'],
    [['run', '--control', 'localhost:http'], 'PB_BAD_ADDRESS'],
  ])('%j', async (args, says) => {
    const { code, stdout, stderr } = await patchbay(args, { env: { PATCHBAY_DATA: folder('none') } });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(says);
  });
});

describe('without a gateway', () => {
  it.each([
    ['status'],
    ['tap', 'demo'],
    ['pause', 'flow'],
    ['config', 'show'],
    ['plugins', 'list'],
    ['events', 'list'],
  ])('%s %s exits 1 with a code and what to do', async (...args) => {
    const data = folder('none');
    const ended = await patchbay([...args.filter((arg) => typeof arg === 'string'), '--json', '--data', data]);
    expect(ended.code).toBe(1);
    expect(json(ended)).toMatchObject({
      error: {
        code: 'PB_NOT_RUNNING',
        message: expect.stringContaining(data) as string,
        remedy: expect.stringContaining('patchbay run') as string,
      },
    });
  });

  it('PATCHBAY_DATA names the folder as --data does', async () => {
    const data = folder('none');
    const { stderr } = await patchbay(['status'], { env: { PATCHBAY_DATA: data } });
    expect(stderr).toContain(data);
  });

  it('a control address where nothing or something else listens is an error with a remedy', async () => {
    const ended = await patchbay(['status', '--json', '--control', '127.0.0.1:1', '--token', 'x']);
    expect(ended.code).toBe(1);
    expect(json<{ error: { code: string } }>(ended).error.code).toBe('PB_DISCONNECTED');
  });

  it('validate needs none', async () => {
    const good = 'version: 1\n';
    expect(await patchbay(['validate', file(good)])).toMatchObject({ code: 0, stderr: '' });
    const piped = await patchbay(['validate', '-', '--json'], { input: good });
    expect(json(piped)).toEqual({ valid: true, problems: [] });
  });
});
