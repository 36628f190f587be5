import { describe, expect, it } from 'vitest';
import { parseAppCommand } from './command-line.ts';

const app = { mode: 'app', configFile: '', dataFolder: '', pluginFolders: [], control: '' };

describe('parseAppCommand', () => {
  it('takes a file and options, in a checkout and packaged', () => {
    const rest = ['my.yaml', '--data', '/d', '--plugins=/p', '--plugins', '/q', '--control', '127.0.0.1:1'];
    const expected = {
      mode: 'app',
      configFile: 'my.yaml',
      dataFolder: '/d',
      pluginFolders: ['/p', '/q'],
      control: '127.0.0.1:1',
    };
    expect(parseAppCommand(['electron', '--no-sandbox', '/checkout', ...rest], false)).toEqual(expected);
    expect(parseAppCommand(['Patchbay', ...rest], true)).toEqual(expected);
  });
  it('skips what is for Chromium', () => {
    expect(parseAppCommand(['Patchbay', '--disable-gpu', '--force-device-scale-factor=2', '-x'], true)).toEqual(app);
  });
  it('leaves everything behind --cli to the command line', () => {
    expect(parseAppCommand(['Patchbay', '--no-sandbox', '--cli', 'status', '--json', '--data', '/d'], true)).toEqual({
      mode: 'cli',
      args: ['status', '--json', '--data', '/d'],
    });
  });
  it('bears an option without its value', () => {
    expect(parseAppCommand(['Patchbay', '--data'], true)).toEqual(app);
  });
});
