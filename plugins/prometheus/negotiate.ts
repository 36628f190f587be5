/** What a scraper asked for (RFC 9110, sections 12.5.1 and 12.5.3). */

export interface Format {
  readonly openMetrics: boolean;
  readonly contentType: string;
}

const TEXT: Format = { openMetrics: false, contentType: 'text/plain; version=0.0.4; charset=utf-8' };
const openMetrics = (version: string): Format => ({
  openMetrics: true,
  contentType: `application/openmetrics-text; version=${version}; charset=utf-8`,
});

interface Choice {
  readonly value: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly q: number;
}

function choices(header: string): Choice[] {
  return header
    .split(',', 64)
    .map((part) => {
      const [value = '', ...rest] = part.split(';').map((piece) => piece.trim());
      const parameters = new Map(
        rest.map((pair) => {
          const [name = '', text = ''] = pair.split('=', 2);
          return [name.trim().toLowerCase(), text.trim().replace(/^"(.*)"$/, '$1')];
        }),
      );
      const q = Number(parameters.get('q') ?? 1);
      return { value: value.toLowerCase(), parameters, q: q >= 0 && q <= 1 ? q : 0 };
    })
    .filter(({ value }) => value !== '');
}

/** OpenMetrics where it is wanted at least as much as text; text 0.0.4 for everything we do not have. */
export function negotiateFormat(accept: string | undefined): Format {
  let best = TEXT;
  let bestQ = 0;
  for (const { value, parameters, q } of choices(accept ?? '')) {
    const version = parameters.get('version');
    let format: Format | undefined;
    if (value === 'application/openmetrics-text') {
      if (version === undefined || version === '1.0.0' || version === '0.0.1') format = openMetrics(version ?? '1.0.0');
    } else if (value === 'text/plain' || value === 'text/*' || value === '*/*') {
      if (version === undefined || version === '0.0.4') format = TEXT;
    }
    if (format !== undefined && (q > bestQ || (q === bestQ && q > 0 && format.openMetrics && !best.openMetrics))) {
      best = format;
      bestQ = q;
    }
  }
  return best;
}

export function acceptsGzip(acceptEncoding: string | undefined): boolean {
  let any: number | undefined;
  for (const { value, q } of choices(acceptEncoding ?? '')) {
    if (value === 'gzip' || value === 'x-gzip') return q > 0;
    if (value === '*') any = q;
  }
  return (any ?? 0) > 0;
}
