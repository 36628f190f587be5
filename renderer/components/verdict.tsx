import type { ReactNode } from 'react';
import type { Verdict as VerdictName } from '../../gateway-core/protocol/model.ts';
import { texts } from '../app/texts.ts';
import styles from './verdict.module.css';

/** Drawn, since few fonts have `⑃`: one line that becomes two. */
const fork = (
  <svg width="12" height="12" viewBox="0 0 12 12" className={styles.fork}>
    <path d="M1 6h4M5 6l5-4M5 6l5 4" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" />
  </svg>
);

const glyphs: Readonly<Record<VerdictName, ReactNode>> = {
  unchanged: '=',
  modified: '±',
  filtered: '⊘',
  split: fork,
  refused: '✕',
};

/** What a handler did to a message: a glyph, and a word for those who do not see it. */
export function Verdict({ verdict, word = false }: { verdict: VerdictName; word?: boolean }) {
  const said = texts.common.verdicts[verdict];
  return (
    <span className={`${styles.verdict} ${styles[verdict]}`} title={said}>
      <span aria-hidden className={styles.glyph}>
        {glyphs[verdict]}
      </span>
      <span className={word ? undefined : 'visually-hidden'}>{said}</span>
    </span>
  );
}
