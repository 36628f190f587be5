import type { Verdict as VerdictName } from '../../gateway-core/protocol/model.ts';
import { texts } from '../app/texts.ts';
import styles from './verdict.module.css';

export const verdictGlyphs: Readonly<Record<VerdictName, string>> = {
  unchanged: '=',
  modified: '±',
  filtered: '⊘',
  split: '⑃',
  refused: '✕',
};

/** What a handler did to a message: a glyph, and a word for those who do not see it. */
export function Verdict({ verdict, word = false }: { verdict: VerdictName; word?: boolean }) {
  const said = texts.common.verdicts[verdict];
  return (
    <span className={`${styles.verdict} ${styles[verdict]}`} title={said}>
      <span aria-hidden className={styles.glyph}>
        {verdictGlyphs[verdict]}
      </span>
      <span className={word ? undefined : 'visually-hidden'}>{said}</span>
    </span>
  );
}
