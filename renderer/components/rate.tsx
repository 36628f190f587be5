import { rate, shortCount } from '../app/format.ts';
import { texts } from '../app/texts.ts';

/** `41 312/s`; `short` for `41.3 k/s`. The exact value is in the hover. */
export function Rate({ value, short = false }: { value: number; short?: boolean }) {
  const shown = short && value >= 1000 ? shortCount(value) : rate(value);
  return (
    <span title={`${rate(value)}${texts.frame.perSecond}`}>
      {shown}
      <span className="per">{texts.frame.perSecond}</span>
    </span>
  );
}
