/** Ctrl-K: every screen, everything that can be watched, and what the present page offers. */
import { Modal, TextInput, useMantineColorScheme } from '@mantine/core';
import { useMemo, useState, type KeyboardEvent } from 'react';
import { useLocation } from 'wouter';
import { useCommandRegistry, type Command } from '../commands.ts';
import { useTopology } from '../gateway.ts';
import { screens } from '../navigation.ts';
import { usePreferences } from '../preferences.ts';
import { texts } from '../texts.ts';
import { href } from '../url-state.ts';
import styles from './palette.module.css';

const t = texts.palette;

/** Every word of the query must occur; what starts with it comes first. */
export function search(commands: readonly Command[], query: string): readonly Command[] {
  const words = query
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  const found = commands.filter(({ label, group }) => {
    const text = `${group} ${label}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const first = words[0];
  if (first === undefined) return found;
  return found.toSorted(
    (a, b) => Number(b.label.toLowerCase().startsWith(first)) - Number(a.label.toLowerCase().startsWith(first)),
  );
}

interface PaletteProps {
  readonly opened: boolean;
  readonly close: () => void;
  readonly openShortcuts: () => void;
}

export function Palette({ opened, close, openShortcuts }: PaletteProps) {
  return (
    <Modal
      opened={opened}
      onClose={close}
      title={t.title}
      yOffset="12vh"
      centered={false}
      size={560}
      padding={0}
      classNames={{ header: styles.header ?? '', content: styles.content ?? '' }}
    >
      <PaletteBody close={close} openShortcuts={openShortcuts} />
    </Modal>
  );
}

function useAllCommands(openShortcuts: () => void): readonly Command[] {
  const [, navigate] = useLocation();
  const { setColorScheme } = useMantineColorScheme();
  const topology = useTopology().value;
  const pages = useCommandRegistry((state) => state.pages);
  return useMemo(
    () => [
      ...[...pages.values()].flat(),
      ...screens.map((screen): Command => ({
        id: `go ${screen.path}`,
        group: t.groupGo,
        label: screen.label,
        keys: `g ${screen.key}`,
        run: () => navigate(screen.path),
      })),
      ...(topology?.nodes ?? [])
        .filter((node) => node.enabled)
        .map((node): Command => ({
          id: `tap ${node.name}`,
          group: t.groupTap,
          label: t.tap(node.name),
          run: () => navigate(href('/live', { at: node.name })),
        })),
      {
        id: 'light',
        group: t.groupView,
        label: t.useTheme(texts.frame.themeLight),
        run: () => setColorScheme('light'),
      },
      { id: 'dark', group: t.groupView, label: t.useTheme(texts.frame.themeDark), run: () => setColorScheme('dark') },
      {
        id: 'system',
        group: t.groupView,
        label: t.useTheme(texts.frame.themeSystem),
        run: () => setColorScheme('auto'),
      },
      {
        id: 'rail',
        group: t.groupView,
        label: t.toggleRail,
        keys: '[',
        run: () => usePreferences.getState().toggleRail(),
      },
      { id: 'shortcuts', group: t.groupView, label: t.showShortcuts, keys: '?', run: openShortcuts },
    ],
    [pages, topology, navigate, setColorScheme, openShortcuts],
  );
}

function PaletteBody({ close, openShortcuts }: Omit<PaletteProps, 'opened'>) {
  const commands = useAllCommands(openShortcuts);
  const [query, setQuery] = useState('');
  const [active, setActive] = useState(0);
  const found = useMemo(() => search(commands, query), [commands, query]);
  const at = Math.min(active, found.length - 1);

  const run = (command: Command | undefined): void => {
    if (command === undefined) return;
    close();
    command.run();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0 && found.length > 0) {
      event.preventDefault();
      const next = (at + step + found.length) % found.length;
      setActive(next);
      document.getElementById(`command-${next}`)?.scrollIntoView({ block: 'nearest' });
    } else if (event.key === 'Enter') {
      event.preventDefault();
      run(found[at]);
    }
  };

  return (
    <>
      <TextInput
        data-autofocus
        aria-label={t.placeholder}
        placeholder={t.placeholder}
        className={styles.input ?? ''}
        size="sm"
        value={query}
        onChange={(event) => {
          setQuery(event.currentTarget.value);
          setActive(0);
        }}
        onKeyDown={onKeyDown}
        role="combobox"
        aria-expanded
        aria-controls="commands"
        aria-activedescendant={found.length > 0 ? `command-${at}` : undefined}
        autoComplete="off"
      />
      {found.length === 0 ? (
        <p className={styles.nothing} role="status">
          {t.nothing}
        </p>
      ) : (
        <div role="listbox" id="commands" aria-label={t.title} className={styles.list}>
          {found.map((command, i) => (
            <div
              key={command.id}
              id={`command-${i}`}
              role="option"
              aria-selected={i === at}
              className={styles.option}
              onMouseMove={() => setActive(i)}
              onClick={() => run(command)}
            >
              <span className={styles.group}>{command.group}</span>
              <span className={styles.label}>{command.label}</span>
              {command.keys !== undefined && <kbd>{command.keys}</kbd>}
            </div>
          ))}
        </div>
      )}
    </>
  );
}
