import type { MessageInit, MessageKind } from '../../message.ts';

/** Kinds that a contribution takes, by the edge types of its manifest. */
export function kindsOf(accepts: readonly string[] | undefined): readonly MessageKind[] {
  const all: readonly MessageKind[] = ['raw', 'metric', 'event', 'log'];
  if (accepts === undefined || accepts.includes('*')) return all;
  return all.filter((kind) => accepts.some((type) => type === kind || type.startsWith(`${kind}:`)));
}

/** Plain good messages of the given kinds, `count` in all. What formats within a kind are is not known here. */
export function plainSamples(kinds: readonly MessageKind[], count: number): MessageInit[] {
  const made = Array.from({ length: count }, (_, i): MessageInit => {
    const kind = kinds[i % kinds.length] ?? 'raw';
    return { kind, data: plainData(kind, i), severity: i % 2 === 0 ? 'info' : 'critical', time: 1_700_000_000_000 + i };
  });
  return made;
}

function plainData(kind: MessageKind, i: number): unknown {
  switch (kind) {
    case 'raw':
      return i % 2 === 0 ? `{"n":${i}}` : new TextEncoder().encode(`{"n":${i}}`);
    case 'metric':
      return {
        name: 'sample',
        type: 'gauge',
        value: i,
        time: 1_700_000_000_000 + i,
        interval: 10,
        labels: { n: `${i}` },
      };
    case 'event':
      return { name: 'sample', labels: { n: i }, annotations: { text: `event ${i}` } };
    case 'log':
      return { message: `line ${i}`, labels: { n: i } };
  }
}

export interface Hostile {
  readonly name: string;
  readonly init: MessageInit;
}

/** Nested too deep for anything recursive; made without recursion. */
function nested(levels: number): unknown {
  let value: unknown = 'core';
  for (let i = 0; i < levels; i++) value = i % 2 === 0 ? [value] : { in: value };
  return value;
}

/** What may come along, whatever a plugin accepts: edges are checked by type, not by content. */
export function hostileSamples(): Hostile[] {
  const raw = (name: string, data: unknown): Hostile => ({ name, init: { data } });
  const metric = { name: 'm', type: 'gauge', value: 1, time: 0, interval: 10, labels: {} };
  const kind = (of: MessageKind, name: string, data: unknown): Hostile => ({
    name: `${of}: ${name}`,
    init: { kind: of, data },
  });
  return [
    raw('no bytes', new Uint8Array()),
    raw('bytes that are not UTF-8', Uint8Array.of(0xff, 0xfe, 0x80, 0x00, 0xc3)),
    raw('zero bytes', new Uint8Array(64)),
    raw('empty text', ''),
    raw('text with lone surrogates', '\ud800 \udfff'),
    raw('text with control characters', '\u0000\u001b[2J\r\n'),
    raw('JSON cut in the middle', '{"a":[1,2'),
    raw('JSON with __proto__', '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}'),
    raw('huge JSON', `[${'{"plugin":"x","value":123456.789},'.repeat(60_000)}0]`),
    raw('JSON text nested 100 000 deep', `${'['.repeat(100_000)}${']'.repeat(100_000)}`),
    raw('an object nested 20 000 deep', nested(20_000)),
    raw('null', null),
    raw('undefined', undefined),
    raw('a number', 42),
    raw('true', true),
    raw('an empty list', []),
    raw('a list of nulls', [null, null]),
    raw('a big integer', 2n ** 70n),
    { name: 'a time that is none', init: { data: '{}', time: Number.NaN } },
    { name: 'a subject of 100 000 characters', init: { data: '{}', subject: 'x'.repeat(100_000) } },
    kind('metric', 'null', null),
    kind('metric', 'nothing in it', {}),
    kind('metric', 'NaN', { ...metric, value: Number.NaN }),
    kind('metric', 'infinite', { ...metric, value: -Infinity }),
    kind('metric', 'a text as value', { ...metric, value: '1' }),
    kind('metric', 'no name', { ...metric, name: '' }),
    kind('metric', 'a name with line breaks', { ...metric, name: 'a\nb 1\n# c' }),
    kind('metric', 'labels that are no map', { ...metric, labels: null }),
    kind('metric', 'labels of other types', { ...metric, labels: { a: 1, b: null, c: { d: [] } } }),
    kind('metric', 'a label named __proto__', { ...metric, labels: JSON.parse('{"__proto__":"x"}') as unknown }),
    kind('event', 'null', null),
    kind('event', 'nothing in it', {}),
    kind('event', 'labels that are no map', { name: 7, labels: [], annotations: 'x' }),
    kind('log', 'null', null),
    kind('log', 'a number as message', { message: 1, labels: undefined }),
  ];
}
