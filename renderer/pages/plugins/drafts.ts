/** What was typed and not saved, by instance: looking at another screen must not lose it. */
import { create } from 'zustand';
import type { ConfigDocument } from '../../../gateway-core/protocol/contract.ts';

export interface Draft {
  /** The config it began from. */
  readonly base: ConfigDocument;
  readonly config: unknown;
  readonly around: unknown;
}

interface Drafts {
  readonly drafts: ReadonlyMap<string, Draft>;
}

export const useDrafts = create<Drafts>()(() => ({ drafts: new Map() }));

export function keepDraft(key: string, draft: Draft | undefined): void {
  useDrafts.setState((state) => {
    const drafts = new Map(state.drafts);
    if (draft === undefined) drafts.delete(key);
    else drafts.set(key, draft);
    return { drafts };
  });
}
