import { Button } from '@mantine/core';
import type { LetterGroup } from '../../../gateway-core/protocol/dead-letters.ts';
import { count } from '../../app/format.ts';
import { texts } from '../../app/texts.ts';
import { useUrlState } from '../../app/url-state.ts';
import { Ago } from '../../components/ago.tsx';
import type { UrlFilter } from './filters.ts';
import styles from './dead-letters.module.css';

const t = texts.deadLetters;
/** Rarer ones are found by the filters. */
const SHOWN = 50;

/** One line per cause and instance; a click narrows the list to it, another one widens it again. */
export function Causes({ groups, filter }: { groups: readonly LetterGroup[]; filter: UrlFilter }) {
  const { set } = useUrlState();
  const isChosen = ({ instance, code, pipeline }: LetterGroup): boolean =>
    filter.instance === instance && filter.code === code && filter.pipeline === pipeline;
  const narrowed = filter.instance !== '' || filter.code !== '' || filter.pipeline !== '';
  const widen = (): void => set({ instance: undefined, code: undefined, pipeline: undefined });
  return (
    <section className={styles.causes}>
      <div className={styles.causesHead}>
        <h2>{t.causes}</h2>
        {narrowed && (
          <Button variant="subtle" size="compact-xs" onClick={widen}>
            {t.allCauses}
          </Button>
        )}
      </div>
      <ul aria-label={t.causesLabel} className={styles.causeList} tabIndex={0}>
        {groups.slice(0, SHOWN).map((group) => (
          <li key={`${group.instance} ${group.code} ${group.pipeline}`}>
            <button
              type="button"
              className={styles.cause}
              aria-pressed={isChosen(group)}
              onClick={() => {
                if (isChosen(group)) widen();
                else set({ instance: group.instance, code: group.code, pipeline: group.pipeline });
              }}
            >
              <strong className={styles.causeCount}>{count(group.count)}</strong>
              <span className={styles.causeText}>
                <span className={styles.causeLine}>{group.cause}</span>
                <span className={styles.causeWhere}>
                  <strong>{group.instance}</strong> · {group.pipeline} · <code>{group.code}</code>
                </span>
              </span>
              <span className={styles.causeTime}>
                <Ago time={group.newest} />
              </span>
            </button>
          </li>
        ))}
      </ul>
      {groups.length > SHOWN && <p className={styles.dim}>{t.moreCauses(count(groups.length - SHOWN))}</p>}
    </section>
  );
}
