import { describe, expect, it } from 'vitest';
import { createMessage, type MessageInit } from '../plugin-api/message.ts';
import { checkExpression, compileExpression, compileValue } from './expression.ts';

const message = (init: Partial<MessageInit>) => createMessage('in', 'default', { data: {}, ...init });
const holds = (source: string, init: Partial<MessageInit>) => compileExpression(source).test(message(init));

describe('expressions', () => {
  it.each<[string, Partial<MessageInit>, boolean]>([
    ['attributes.address == "collectd/telemetry"', { attributes: { address: 'collectd/telemetry' } }, true],
    ['attributes.address == "collectd/telemetry"', { attributes: { address: 'collectd/notify' } }, false],
    ['data.value > 90', { data: { value: 97.4 } }, true],
    ['data.value > 90', { data: { value: 9 } }, false],
    ['data[0].host == "a"', { data: '[{"host":"a"}]' }, true],
    ['data[0].host == "a"', { data: new TextEncoder().encode('[{"host":"a"}]') }, true],
    ['type == "x.y" && type(1) == int', { type: 'x.y' }, true],
    ['data.type == "gauge"', { data: { type: 'gauge' } }, true],
    ['severity == ""', {}, true],
    ['instance == "in" && project == "default"', {}, true],
    ['time > timestamp("2020-01-01T00:00:00Z")', { time: Date.UTC(2026, 0, 1) }, true],
    ['data.startsWith("plain")', { data: 'plain text' }, true],
  ])('%s', (source, init, expected) => {
    expect(holds(source, init)).toBe(expected);
  });

  it('does not match where a field is missing, and counts it', () => {
    const expression = compileExpression('data.absent > 1');
    expect(expression.test(message({ data: {} }))).toBe(false);
    expect(expression.faults).toBe(1);
  });

  it.each([
    ['data.value >', 12],
    ['foo == 1', 0],
    ['"text"', 0],
  ])('names the fault of %s', (source, at) => {
    expect(checkExpression(source)).toMatchObject({ ok: false, at });
    expect(() => compileExpression(source)).toThrow(expect.objectContaining({ code: 'PB_EXPRESSION' }));
  });

  it('refuses what is too long or too deep', () => {
    expect(checkExpression('true || '.repeat(1000) + 'true').ok).toBe(false);
    expect(checkExpression('('.repeat(300) + 'true' + ')'.repeat(300)).ok).toBe(false);
  });
});

describe('an expression for a value', () => {
  const read = (source: string, data: unknown): unknown =>
    compileValue(source).read(createMessage('in', 'p', { id: '7', data }));

  it('gives values of any type, as JavaScript has them', () => {
    expect(read('id', 1)).toBe('7');
    expect(read('data.n', { n: 1.5 })).toBe(1.5);
    expect(read('[data.a, data.b]', { a: 1, b: 'x' })).toEqual([1, 'x']);
    expect(read('1 + 1', 0)).toBe(2n);
    expect(read('duration("5s")', 0)).toBe(5000);
    expect(read('data.?n', { n: 1 })).toBe(1);
  });

  it('gives undefined where a field is missing or a type does not fit', () => {
    expect(read('data.n', {})).toBeUndefined();
    expect(read('data.?n', {})).toBeUndefined();
    expect(read('data.n + 1', { n: 'x' })).toBeUndefined();
  });

  it('is checked as one, not as a condition', () => {
    expect(checkExpression('id', 'value').ok).toBe(true);
    expect(checkExpression('id').ok).toBe(false);
    expect(checkExpression('nothing', 'value').ok).toBe(false);
  });
});
