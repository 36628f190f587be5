import { ActionIcon, TextInput } from '@mantine/core';
import { IconFilter, IconX } from '@tabler/icons-react';
import { useEffect, useId, useRef, useState, type KeyboardEvent, type RefObject } from 'react';
import { useCall, useClient } from '../../app/gateway.ts';
import { texts } from '../../app/texts.ts';
import { useUrlState } from '../../app/url-state.ts';
import { fieldPaths, readable } from '../../live/readable.ts';
import type { LiveTap } from '../../live/tap.ts';
import { accept, complete } from './completion.ts';
import styles from './live-page.module.css';

const t = texts.live;
const CHECK_AFTER_MS = 200;
const APPLY_AFTER_MS = 700;

/** Field names of the newest message, asked for when the field is entered. */
function useSeenPaths(tap: LiveTap): [readonly string[], () => void] {
  const client = useClient();
  const [paths, setPaths] = useState<readonly string[]>([]);
  const look = (): void => {
    const newest = tap.ring.lastRow();
    if (newest === undefined || newest.tap !== tap.tapName) return;
    client.call('live.message', { tap: newest.tap, seq: newest.row.seq }).then(
      ({ before, attributes }) =>
        setPaths([...fieldPaths('attributes', attributes, 1), ...fieldPaths('data', readable(before).data)].toSorted()),
      // Without them the message's own fields are still offered.
      () => undefined,
    );
  };
  return [paths, look];
}

/** A CEL condition: checked by the engine and completed as one types, applied when it is valid. */
export function FilterField({
  ref,
  value,
  tap,
}: {
  ref: RefObject<HTMLInputElement | null>;
  value: string;
  tap: LiveTap;
}) {
  const { set } = useUrlState();
  const [draft, setDraft] = useState(value);
  const [settled, setSettled] = useState(value);
  const [caret, setCaret] = useState(0);
  const [open, setOpen] = useState(false);
  const [focused, setFocused] = useState(false);
  const [active, setActive] = useState(-1);
  const [paths, look] = useSeenPaths(tap);
  const wanted = useRef<number>(undefined);
  const listId = useId();
  const faultId = useId();

  // Back and forward change the URL: the field follows.
  const [followed, setFollowed] = useState(value);
  if (value !== followed) {
    setFollowed(value);
    setDraft(value);
    setSettled(value);
  }
  useEffect(() => {
    const timer = setTimeout(() => setSettled(draft.trim()), CHECK_AFTER_MS);
    return () => clearTimeout(timer);
  }, [draft]);
  const check = useCall('filter.check', settled === '' ? undefined : { expression: settled });
  const current = settled === draft.trim();
  const fault = current && settled !== '' && check.value?.ok === false ? check.value : undefined;
  const valid = current && (settled === '' || check.value?.ok === true);

  const apply = (): void => {
    if (valid && settled !== value) set({ where: settled, row: undefined });
  };
  const latestApply = useRef(apply);
  useEffect(() => {
    latestApply.current = apply;
  });
  // After a completion the caret goes where the next thing is typed.
  useEffect(() => {
    if (wanted.current === undefined) return;
    ref.current?.setSelectionRange(wanted.current, wanted.current);
    wanted.current = undefined;
  });

  const { from, options } = complete(draft, caret, paths);
  // Between words nothing is offered unasked.
  const shown = open && options.length > 0 && (from < caret || active >= 0);

  useEffect(() => {
    if (!valid || settled === value || shown) return;
    const timer = setTimeout(() => latestApply.current(), settled === '' ? 0 : APPLY_AFTER_MS - CHECK_AFTER_MS);
    return () => clearTimeout(timer);
  }, [valid, settled, value, shown]);

  const take = (option: string): void => {
    const next = accept(draft, caret, from, option);
    wanted.current = next.caret;
    setDraft(next.text);
    setCaret(next.caret);
    setActive(-1);
    ref.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>): void => {
    const picked = shown ? options[active] : undefined;
    switch (event.key) {
      case 'ArrowDown':
      case 'ArrowUp': {
        if (options.length === 0) return;
        event.preventDefault();
        setOpen(true);
        const step = event.key === 'ArrowDown' ? 1 : -1;
        setActive(shown ? (active + step + options.length) % options.length : 0);
        break;
      }
      case 'Tab': {
        const first = picked ?? (shown && caret > from ? options[0] : undefined);
        if (first === undefined) return;
        event.preventDefault();
        take(first);
        break;
      }
      case 'Enter':
        event.preventDefault();
        if (picked !== undefined) take(picked);
        else {
          setOpen(false);
          apply();
        }
        break;
      case 'Escape':
        event.preventDefault();
        if (shown) setOpen(false);
        else event.currentTarget.blur();
        break;
    }
  };

  return (
    <div className={styles.filter}>
      <TextInput
        ref={ref}
        classNames={{ input: styles.filterInput ?? '' }}
        aria-label={t.where}
        placeholder={t.wherePlaceholder}
        leftSection={<IconFilter size={14} aria-hidden />}
        value={draft}
        error={fault !== undefined}
        role="combobox"
        aria-expanded={shown}
        aria-controls={shown ? listId : undefined}
        aria-autocomplete="list"
        aria-activedescendant={shown && active >= 0 ? `${listId}-${active}` : undefined}
        aria-describedby={fault === undefined ? undefined : faultId}
        spellCheck={false}
        autoComplete="off"
        onFocus={() => {
          setFocused(true);
          look();
        }}
        onBlur={() => {
          setFocused(false);
          setOpen(false);
          apply();
        }}
        onChange={(event) => {
          setDraft(event.currentTarget.value);
          setCaret(event.currentTarget.selectionStart ?? event.currentTarget.value.length);
          setOpen(true);
          setActive(-1);
        }}
        onSelect={(event) => setCaret(event.currentTarget.selectionStart ?? 0)}
        onKeyDown={onKeyDown}
        rightSection={
          draft === '' ? undefined : (
            <ActionIcon
              variant="subtle"
              color="gray"
              size="sm"
              aria-label={t.clearFilter}
              onClick={() => {
                setDraft('');
                setSettled('');
                set({ where: undefined, row: undefined });
              }}
            >
              <IconX size={13} />
            </ActionIcon>
          )
        }
      />
      {shown && (
        <div id={listId} role="listbox" aria-label={t.completions} className={styles.completions}>
          {options.map((option, i) => (
            <div
              key={option}
              id={`${listId}-${i}`}
              role="option"
              aria-selected={i === active}
              onMouseDown={(event) => {
                event.preventDefault();
                take(option);
              }}
            >
              {option}
            </div>
          ))}
        </div>
      )}
      {fault !== undefined && (
        <div id={faultId} role="alert" className={focused && !shown ? styles.fault : 'visually-hidden'}>
          <code>
            {settled.slice(Math.max(0, fault.at - 24), fault.at)}
            <mark>{settled.slice(fault.at, fault.at + 1) || '␣'}</mark>
            {settled.slice(fault.at + 1, fault.at + 25)}
          </code>
          <span>
            {fault.message} ({t.whereWrong(fault.at)})
          </span>
        </div>
      )}
    </div>
  );
}
