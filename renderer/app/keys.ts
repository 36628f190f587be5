/** Keyboard shortcuts: one listener each, off while one types, or when single keys are switched off. */
import { useEffect, useRef } from 'react';
import { usePreferences } from './preferences.ts';

/** `?`, `g l` (one after the other), `mod+k`, `Escape`, `Space`. */
export type Keys = Readonly<Record<string, (event: KeyboardEvent) => void>>;

const CHORD_MS = 900;

/** True where keys are text or already have a meaning. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.matches('input:not([type=checkbox]):not([type=radio]), textarea, select');
}

function inDialog(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('[role=dialog], [role=listbox], [role=menu]') !== null;
}

export function useKeys(keys: Keys): void {
  const current = useRef(keys);
  useEffect(() => {
    current.current = keys;
  });
  useEffect(() => {
    let before = '';
    let beforeAt = 0;
    const onKey = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.isComposing) return;
      const mod = event.ctrlKey || event.metaKey;
      const name = event.key === ' ' ? 'Space' : event.key;
      if (mod) {
        const action = event.altKey ? undefined : current.current[`mod+${name.toLowerCase()}`];
        if (action !== undefined) {
          event.preventDefault();
          action(event);
        }
        return;
      }
      if (event.altKey || isTyping(event.target) || inDialog(event.target)) return;
      const single = name.length === 1 || name === 'Space';
      if (single && !usePreferences.getState().singleKeys) return;
      // Space presses what is focused.
      if (name === 'Space' && event.target instanceof Element && event.target.closest('button, a, [role=tab], summary'))
        return;
      const chord = event.timeStamp - beforeAt < CHORD_MS ? current.current[`${before} ${name}`] : undefined;
      const action = chord ?? current.current[name];
      before = name;
      beforeAt = event.timeStamp;
      if (action === undefined) return;
      event.preventDefault();
      action(event);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
}
