/** The filter of the page as it stands in the URL. */
import type { LetterFilter } from '../../../gateway-core/protocol/dead-letters.ts';

export const FILTER_KEYS = ['instance', 'pipeline', 'code', 'since', 'text'] as const;
export type FilterKey = (typeof FILTER_KEYS)[number];
export type UrlFilter = Readonly<Record<FilterKey, string>>;

const MINUTE = 60_000;
export const SPANS = { '15m': 15 * MINUTE, '1h': 60 * MINUTE, '24h': 1440 * MINUTE, '7d': 10_080 * MINUTE } as const;

export function readFilter(get: (key: string) => string): UrlFilter {
  return {
    instance: get('instance'),
    pipeline: get('pipeline'),
    code: get('code'),
    since: Object.hasOwn(SPANS, get('since')) ? get('since') : '',
    text: get('text'),
  };
}

export function isFiltered(filter: UrlFilter): boolean {
  return FILTER_KEYS.some((key) => filter[key] !== '');
}

/** What the engine is asked for. `now`: what a span of time is counted back from. */
export function toLetterFilter({ instance, pipeline, code, since, text }: UrlFilter, now: number): LetterFilter {
  return {
    ...(instance === '' ? {} : { instance }),
    ...(pipeline === '' ? {} : { pipeline }),
    ...(code === '' ? {} : { code }),
    ...(Object.hasOwn(SPANS, since) ? { from: now - SPANS[since as keyof typeof SPANS] } : {}),
    ...(text === '' ? {} : { text }),
  };
}

/** The same without what the causes are grouped by: so the other causes stay in sight. */
export function withoutCause(filter: UrlFilter): UrlFilter {
  return { ...filter, instance: '', pipeline: '', code: '' };
}
