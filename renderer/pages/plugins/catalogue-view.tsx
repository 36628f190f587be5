import { Button, Select, TextInput } from '@mantine/core';
import { IconAlertTriangle, IconPuzzleOff, IconSearch, IconShieldLock } from '@tabler/icons-react';
import { useMemo } from 'react';
import { Link } from 'wouter';
import type { CatalogueEntry } from '../../../gateway-core/protocol/model.ts';
import { texts } from '../../app/texts.ts';
import { href, useUrlState } from '../../app/url-state.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { PluginIcon } from '../../components/plugin-icon.tsx';
import { filterCatalogue, kindsOf, titleOf } from './catalogue.ts';
import { madeBy, permissionWords } from './words.ts';
import styles from './plugins.module.css';

const KINDS = ['source', 'handler', 'sink', 'executor', 'action', 'driver'] as const;

export function Catalogue({ entries }: { entries: readonly CatalogueEntry[] }) {
  const t = texts.plugins;
  const url = useUrlState();
  const filter = { text: url.get('q'), kind: url.get('kind'), state: url.get('state') };
  const { text, kind, state } = filter;
  const found = useMemo(() => filterCatalogue(entries, { text, kind, state }), [entries, text, kind, state]);
  const present = KINDS.filter((name) => entries.some((entry) => kindsOf(entry).includes(name)));
  const reset = (): void => url.set({ q: undefined, kind: undefined, state: undefined });
  return (
    <div className={styles.page}>
      <header className={styles.head}>
        <h1>{t.title}</h1>
        <span className={styles.dim} role="status">
          {t.found(found.length, entries.length)}
        </span>
        <span className={styles.spring} />
        <TextInput
          type="search"
          aria-label={t.search}
          placeholder={t.search}
          leftSection={<IconSearch size={15} />}
          value={text}
          w={220}
          onChange={(event) => url.set({ q: event.currentTarget.value }, { replace: true })}
        />
        <Select
          aria-label={t.kind}
          w={140}
          allowDeselect={false}
          data={[
            { value: '', label: t.anyKind },
            ...present.map((name) => ({ value: name, label: texts.common.kindsMany[name] })),
          ]}
          value={kind}
          onChange={(value) => url.set({ kind: value ?? '' })}
        />
        <Select
          aria-label={t.state}
          w={150}
          allowDeselect={false}
          data={[
            { value: '', label: t.anyState },
            ...(['used', 'unused', 'problem'] as const).map((value) => ({ value, label: t.states[value] })),
          ]}
          value={state}
          onChange={(value) => url.set({ state: value ?? '' })}
        />
      </header>
      {entries.length === 0 ? (
        <EmptyState icon={<IconPuzzleOff size={34} />} title={t.none}>
          {t.noneText}
        </EmptyState>
      ) : found.length === 0 ? (
        <EmptyState
          icon={<IconSearch size={34} />}
          title={t.nothing}
          action={<Button onClick={reset}>{t.resetFilters}</Button>}
        >
          {t.nothingText}
        </EmptyState>
      ) : (
        <ul className={styles.cards} aria-label={t.title}>
          {found.map((entry) => (
            <Card key={`${entry.name}@${entry.version}`} entry={entry} />
          ))}
        </ul>
      )}
    </div>
  );
}

function Card({ entry }: { entry: CatalogueEntry }) {
  const t = texts.plugins;
  const kinds = kindsOf(entry);
  return (
    <li className={styles.card} data-plugin={entry.name}>
      <div className={styles.cardHead}>
        <span className={styles.icon}>
          <PluginIcon icon={entry.manifest.icon ?? ''} kind={kinds[0]} size={20} />
        </span>
        <div className={styles.cardTitle}>
          <h2>
            {/* The whole card is the link's: ::after covers it. */}
            <Link href={href(`/plugins/${encodeURIComponent(entry.name)}`)} className={styles.cardLink}>
              {titleOf(entry)}
            </Link>
          </h2>
          <p className={styles.small}>
            <code>{entry.name}</code> {entry.version} · {t.stabilities[entry.manifest.stability]}
          </p>
        </div>
        <span className={entry.instances.length > 0 ? styles.used : styles.small}>
          {t.instances(entry.instances.length)}
        </span>
      </div>
      <p className={styles.cardText}>{entry.manifest.description}</p>
      {entry.problem !== undefined && (
        <p className={styles.cardProblem}>
          <IconAlertTriangle size={15} aria-hidden />
          <span>
            {entry.problem.message} <span className={styles.dim}>{entry.problem.remedy}</span>{' '}
            <code>{entry.problem.code}</code>
          </span>
        </p>
      )}
      <div className={styles.cardFoot}>
        {kinds.map((kind) => (
          <span key={kind} className={styles.kind} data-kind={kind}>
            {texts.common.kinds[kind]}
          </span>
        ))}
        <span className={styles.spring} />
        <span className={styles.permission}>
          <IconShieldLock size={14} aria-hidden />
          {permissionWords(entry.manifest).join(', ')}
        </span>
      </div>
      <p className={styles.small}>
        {t.by(madeBy(entry))} · {t.origins[entry.origin]}
      </p>
    </li>
  );
}
