import { describe, expect, it } from 'vitest';
import { createMessage } from '../plugin-api/message.ts';
import { summarise } from './summary.ts';

const line = (data: unknown): string => summarise(createMessage('in', 'default', { data }));

describe('summarise', () => {
  it('reads JSON bodies as their fields, names first', () => {
    const body = '[{"values":[97.4],"interval":10,"host":"node-1","plugin":"memory","plugin_instance":""}]';
    expect(line(body)).toBe('host=node-1 plugin=memory interval=10 values=[97.4]');
    expect(line(Buffer.from(body))).toBe('host=node-1 plugin=memory interval=10 values=[97.4]');
    expect(line({ level: 3, name: 'disk' })).toBe('name=disk level=3');
  });

  it("puts a metric's value before its labels", () => {
    const data = {
      name: 'collectd_memory',
      type: 'gauge',
      value: 97.4,
      time: 0,
      interval: 10,
      labels: { host: 'a', type: 'used' },
    };
    expect(summarise(createMessage('in', 'default', { kind: 'metric', data }))).toBe(
      'collectd_memory 97.4 host=a type=used',
    );
  });

  it('counts further elements', () => {
    expect(line('[{"host":"a"},{"host":"b"},{"host":"c"}]')).toBe('host=a (+2 more)');
  });

  it('leaves other text as it is, broken JSON and plain lists included', () => {
    expect(line('plain text')).toBe('plain text');
    expect(line('{"host":')).toBe('{"host":');
    expect(line('[1,2]')).toBe('[1,2]');
  });

  it('is one line of at most 400 characters', () => {
    const long = line(`a\nb${'x'.repeat(1000)}`);
    expect(long).toHaveLength(400);
    expect(long).not.toContain('\n');
  });

  it('shows bytes that are no text as hex', () => {
    expect(line(new Uint8Array([0, 255, 1]))).toBe('3 bytes: 00ff01');
  });
});
