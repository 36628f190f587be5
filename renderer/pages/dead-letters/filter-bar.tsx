import { Select, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import type { LetterGroup } from '../../../gateway-core/protocol/dead-letters.ts';
import { texts } from '../../app/texts.ts';
import { useUrlState } from '../../app/url-state.ts';
import { SPANS, type UrlFilter } from './filters.ts';
import styles from './dead-letters.module.css';

const t = texts.deadLetters;

/** The values that occur, and the one that is chosen even if it does not. */
function choices(groups: readonly LetterGroup[], key: 'instance' | 'pipeline' | 'code', chosen: string): string[] {
  return [...new Set([...groups.map((group) => group[key]), ...(chosen === '' ? [] : [chosen])])].toSorted();
}

export function FilterBar({ filter, groups }: { filter: UrlFilter; groups: readonly LetterGroup[] }) {
  const { set } = useUrlState();
  return (
    <div className={styles.filters} role="search">
      <TextInput
        type="search"
        aria-label={t.search}
        placeholder={t.search}
        leftSection={<IconSearch size={15} />}
        className={styles.search ?? ''}
        value={filter.text}
        onChange={(event) => set({ text: event.currentTarget.value }, { replace: true })}
      />
      {(['instance', 'pipeline', 'code'] as const).map((key) => (
        <Select
          key={key}
          aria-label={t.filters[key]}
          className={styles.filter ?? ''}
          allowDeselect={false}
          searchable
          data={[
            { value: '', label: t.any[key] },
            ...choices(groups, key, filter[key]).map((value) => ({ value, label: value })),
          ]}
          value={filter[key]}
          onChange={(value) => set({ [key]: value ?? '' })}
        />
      ))}
      <Select
        aria-label={t.filters.since}
        className={styles.filter ?? ''}
        allowDeselect={false}
        data={[
          { value: '', label: t.any.since },
          ...Object.keys(SPANS).map((value) => ({ value, label: t.since[value as keyof typeof SPANS] })),
        ]}
        value={filter.since}
        onChange={(value) => set({ since: value ?? '' })}
      />
    </div>
  );
}
