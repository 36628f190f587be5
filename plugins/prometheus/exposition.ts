import { seriesOf, type Family, type SeriesStore } from './store.ts';
import { numberText } from './text.ts';

export interface ExpositionOptions {
  readonly openMetrics: boolean;
  readonly withTimeStamp: boolean;
  /** Monotonic time: series that have expired by then are left out, removed already or not. */
  readonly clock: number;
}

/** Pieces are about this long: large enough to be cheap, small enough to be interrupted in between. */
const PIECE = 32_768;

/**
 * The whole exposition, piece by piece. The store may change in between: a series is shown
 * once if it is there throughout, with the value it has when its turn comes, and not at all
 * if it was made after the scrape began.
 */
export function* exposition(store: SeriesStore, options: ExpositionOptions): Generator<string, void, void> {
  const { openMetrics, withTimeStamp, clock } = options;
  const scrape = store.beginScrape();
  let piece = '';
  for (const family of store.families()) {
    let headed = false;
    for (const series of seriesOf(family)) {
      if (series.born >= scrape || series.deadline <= clock) continue;
      if (!headed) {
        piece += openMetrics ? openMetricsHead(family, store) : `# TYPE ${family.name} ${family.type}\n`;
        headed = true;
      }
      piece += series.text + numberText(series.value);
      if (withTimeStamp && series.stamped)
        piece += openMetrics ? ` ${(series.time / 1000).toFixed(3)}\n` : ` ${Math.round(series.time)}\n`;
      else piece += '\n';
      if (piece.length >= PIECE) {
        yield piece;
        piece = '';
      }
    }
  }
  yield openMetrics ? `${piece}# EOF\n` : piece;
}

/**
 * OpenMetrics names a counter's family without `_total`. Where that cannot be done (no such
 * ending, or another family has that name) the type is `unknown`, so that the samples' names
 * are the same in both formats.
 */
function openMetricsHead(family: Family, store: SeriesStore): string {
  const { name, type } = family;
  if (type === 'gauge') return `# TYPE ${name} gauge\n`;
  if (type === 'counter' && name.endsWith('_total') && name.length > 6) {
    const base = name.slice(0, -6);
    if (!store.hasFamily(base)) return `# TYPE ${base} counter\n`;
  }
  return `# TYPE ${name} unknown\n`;
}
