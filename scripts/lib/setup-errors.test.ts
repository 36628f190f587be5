import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SetupError, classifyNpmFailure, describeFailure, setupErrors } from './setup-errors.mjs';

describe('setup errors', () => {
  it.each([
    ['npm error code ENOTFOUND\nnpm error network request failed', 'PB_SETUP_NETWORK', 'ENOTFOUND'],
    ['npm error code EAI_AGAIN', 'PB_SETUP_NETWORK', 'EAI_AGAIN'],
    ['npm error code ECONNREFUSED', 'PB_SETUP_NETWORK', 'ECONNREFUSED'],
    ['npm ERR! code E503', 'PB_SETUP_NETWORK', 'E503'],
    ['npm error code E401', 'PB_SETUP_REGISTRY_DENIED', 'E401'],
    ['npm error code E404\nnpm error 404 Not Found', 'PB_SETUP_PACKAGE_MISSING', 'E404'],
    ['npm error code ETARGET', 'PB_SETUP_PACKAGE_MISSING', 'ETARGET'],
    ['npm error code ENOSPC', 'PB_SETUP_DISK', 'ENOSPC'],
    ['npm error code EACCES', 'PB_SETUP_PERMISSION', 'EACCES'],
    ['npm error code EROFS', 'PB_SETUP_PERMISSION', 'EROFS'],
    ['npm error code EINTEGRITY', 'PB_SETUP_INTEGRITY', 'EINTEGRITY'],
    ['npm error process terminated\nnpm error signal SIGTERM', 'PB_SETUP_INTERRUPTED', 'SIGTERM'],
    ['npm error code EUSAGE', 'PB_SETUP_LOCK_MISMATCH', 'EUSAGE'],
  ])('%s', (output, code, detail) => {
    expect(classifyNpmFailure(output)).toEqual({ code, detail });
  });

  it('knows nothing of what it does not know', () => {
    expect(classifyNpmFailure('npm error code EWHATEVER')).toBeUndefined();
  });

  it('says what, why and what to do', () => {
    const text = describeFailure(new SetupError('PB_SETUP_DISK', { detail: 'ENOSPC', root: '/x' }));
    expect(text).toMatch(/^PB_SETUP_DISK: The disk is full \(ENOSPC\)\n {2}why: .*\/x.*\n {2}remedy: Free/);
  });

  it('uses every code, and no other', () => {
    const folders = [new URL('.', import.meta.url), new URL('../', import.meta.url)];
    const sources = folders.flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => name.endsWith('.mjs') && name !== 'setup-errors.mjs')
        .map((name) => readFileSync(new URL(name, folder), 'utf8')),
    );
    const used = new Set(sources.join('\n').match(/PB_(SETUP|START)_[A-Z_]+/g));
    for (const code of readFileSync(new URL('setup-errors.mjs', import.meta.url), 'utf8').match(/\['(PB_[A-Z_]+)'/g) ??
      [])
      used.add(code.slice(2, -1));
    for (const code of readFileSync(new URL('setup-errors.mjs', import.meta.url), 'utf8').match(
      /^ +'(PB_[A-Z_]+)',$/gm,
    ) ?? [])
      used.add(code.trim().slice(1, -2));
    expect([...used].toSorted()).toEqual(Object.keys(setupErrors).toSorted());
  });
});
