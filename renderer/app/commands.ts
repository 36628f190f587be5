/** Actions that pages offer to the command palette while they are shown. */
import { useEffect, useRef } from 'react';
import { create } from 'zustand';

export interface Command {
  readonly id: string;
  readonly group: string;
  readonly label: string;
  /** As shown beside it: `Space`. */
  readonly keys?: string;
  readonly run: () => void;
}

interface Registry {
  readonly pages: ReadonlyMap<string, readonly Command[]>;
}

export const useCommandRegistry = create<Registry>()(() => ({ pages: new Map() }));

/** Offers `commands` as long as the component is mounted. `owner` is unique per component. */
export function useCommands(owner: string, commands: readonly Command[]): void {
  const current = useRef(commands);
  useEffect(() => {
    current.current = commands;
  });
  const key = commands.map((command) => `${command.id}|${command.label}`).join('\n');
  useEffect(() => {
    const late = current.current.map((command) => ({
      ...command,
      run: () => current.current.find((other) => other.id === command.id)?.run(),
    }));
    useCommandRegistry.setState((state) => ({ pages: new Map(state.pages).set(owner, late) }));
    return () =>
      useCommandRegistry.setState((state) => {
        const pages = new Map(state.pages);
        pages.delete(owner);
        return { pages };
      });
  }, [owner, key]);
}
