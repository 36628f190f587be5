import { describe, expect, it } from 'vitest';
import { externalLink, isOwnUrl, isTrustedSender, mayHave } from './origin.ts';

describe('origin', () => {
  it('is one host of one scheme', () => {
    expect(['app://patchbay/', 'app://patchbay/live?x#y'].every(isOwnUrl)).toBe(true);
    expect(
      ['app://patchbay.evil/', 'app://other/', 'https://patchbay/', 'file:///x', 'about:blank', '', 'patchbay'].filter(
        isOwnUrl,
      ),
    ).toEqual([]);
  });
  it('trusts our top-level page only', () => {
    expect(isTrustedSender({ url: 'app://patchbay/', topLevel: true })).toBe(true);
    expect(isTrustedSender({ url: 'app://patchbay/', topLevel: false })).toBe(false);
    expect(isTrustedSender({ url: 'https://example.org/', topLevel: true })).toBe(false);
  });
  it('gives only plain https links to the browser', () => {
    expect(externalLink('https://example.org/a')).toBe('https://example.org/a');
    for (const url of [
      'http://example.org',
      'file:///etc/passwd',
      'smb://x',
      'javascript:1',
      'https://u:p@example.org',
      'nonsense',
    ]) {
      expect(externalLink(url), url).toBeUndefined();
    }
  });
  it('denies every permission but the one that is needed, and that to others', () => {
    expect(mayHave('clipboard-sanitized-write', 'app://patchbay/')).toBe(true);
    expect(mayHave('clipboard-sanitized-write', 'https://example.org/')).toBe(false);
    for (const name of [
      'media',
      'geolocation',
      'notifications',
      'clipboard-read',
      'openExternal',
      'usb',
      'fileSystem',
      'unknown',
    ]) {
      expect(mayHave(name, 'app://patchbay/'), name).toBe(false);
    }
  });
});
