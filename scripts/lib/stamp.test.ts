import { describe, expect, it } from 'vitest';
import { stampOf, treeMatches } from './stamp.mjs';

describe('stamp', () => {
  const facts = { lock: '{}', platform: 'linux', arch: 'x64' };
  it('is the same for the same', () => {
    expect(stampOf({ ...facts, lock: Buffer.from('{}') })).toBe(stampOf(facts));
  });
  it.each([{ lock: '{} ' }, { platform: 'darwin' }, { arch: 'arm64' }])('changes with %o', (other) => {
    expect(stampOf({ ...facts, ...other })).not.toBe(stampOf(facts));
  });
});

describe('installed tree', () => {
  const lock = {
    packages: {
      '': { version: '1.0.0' },
      'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
      'node_modules/b-linux': {
        version: '1.0.0',
        integrity: 'sha512-b',
        optional: true,
        os: ['linux'],
        cpu: ['x64'],
        libc: ['glibc'],
      },
      'node_modules/b-musl': {
        version: '1.0.0',
        integrity: 'sha512-c',
        optional: true,
        os: ['linux'],
        cpu: ['x64'],
        libc: ['musl'],
      },
      'node_modules/b-mac': { version: '1.0.0', integrity: 'sha512-d', optional: true, os: ['darwin'], cpu: ['arm64'] },
      'node_modules/for-mac': { version: '1.0.0', integrity: 'sha512-e', optional: true },
    },
  };
  const { 'node_modules/a': a, 'node_modules/b-linux': b } = lock.packages;
  const good = { packages: { 'node_modules/a': a, 'node_modules/b-linux': b } };
  const machine = { platform: 'linux', arch: 'x64', musl: false, present: () => true };

  it('matches when all is there that this platform needs', () => {
    expect(treeMatches(lock, good, machine)).toBe(true);
  });
  it.each([
    ['nothing is installed', undefined],
    ['npm left no note', {}],
    ['a package is missing', { packages: { 'node_modules/b-linux': b } }],
    ["this platform's binary is missing", { packages: { 'node_modules/a': a } }],
    ['a version differs', { packages: { ...good.packages, 'node_modules/a': { ...a, version: '1.0.1' } } }],
    ['a content differs', { packages: { ...good.packages, 'node_modules/a': { ...a, integrity: 'sha512-x' } } }],
    ['there is one too many', { packages: { ...good.packages, 'node_modules/z': { version: '1.0.0' } } }],
  ])('does not when %s', (_, installed) => {
    expect(treeMatches(lock, installed, machine)).toBe(false);
  });
  it('does not when a folder was removed by hand', () => {
    expect(treeMatches(lock, good, { ...machine, present: (folder) => folder !== 'node_modules/a' })).toBe(false);
  });
  it('does not without a lock', () => {
    expect(treeMatches(undefined, good, machine)).toBe(false);
  });
  it('does not when the binary is the other C library’s', () => {
    expect(treeMatches(lock, good, { ...machine, musl: true })).toBe(false);
  });
});
