import { describe, expect, it } from 'vitest';
import { plainFields } from './plain-fields.ts';
import { createRedactor } from './redaction.ts';

describe('redaction', () => {
  it('masks registered values anywhere, the longest first, in each form', () => {
    const { register, redact } = createRedactor();
    register(['hunter2', 'hunter2-and-more', 'p@ss/w', 'say "hi"', 'a.c+d']);
    expect(redact('x hunter2 y hunter2-and-more z')).toBe('x *** y *** z');
    expect(redact('amqp://u:p%40ss%2Fw@host')).toBe('amqp://u:***@host');
    expect(redact('{"p":"say \\"hi\\""}')).toBe('{"p":"***"}');
    expect(redact('a.c+d abc+d')).toBe('*** abc+d');
  });

  it('masks a short secret only where it is the whole text', () => {
    const { register, redact } = createRedactor();
    register(['ab', '']);
    expect(redact('ab')).toBe('***');
    expect(redact('about ab')).toBe('about ab');
    expect(redact('')).toBe('');
  });

  it('masks fields that are named like secrets', () => {
    const fields = { password: 'x', apiKey: 'y', auth: { Authorization: 'Bearer z' }, tokens: 5, name: 'n' };
    expect(plainFields(fields, (text) => text)).toEqual({
      password: '***',
      apiKey: '***',
      auth: { Authorization: '***' },
      tokens: 5,
      name: 'n',
    });
  });

  it('bounds fields of any size', () => {
    const wide = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`k${i}`, 'x'.repeat(10_000)]));
    expect(JSON.stringify(plainFields({ a: wide, b: wide }, (text) => text)).length).toBeLessThan(70_000);
  });
});
