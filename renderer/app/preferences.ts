/** What this browser remembers of how the panel is used. Nothing of the gateway is kept here. */
import { create } from 'zustand';
import { persist } from 'zustand/middleware';
import type { LiveBudget } from '../../gateway-core/protocol/model.ts';

interface Preferences {
  readonly railCollapsed: boolean;
  /** Shortcuts of one plain key can be switched off (WCAG 2.1.4). */
  readonly singleKeys: boolean;
  readonly detailStacked: boolean;
  /** Pixels. */
  readonly detailWidth: number;
  /** What the live view may cost; absent keys are the engine's defaults. */
  readonly liveBudget: Partial<LiveBudget>;
  readonly toggleRail: () => void;
  readonly setSingleKeys: (on: boolean) => void;
  readonly setDetailStacked: (stacked: boolean) => void;
  readonly setDetailWidth: (pixels: number) => void;
  readonly setLiveBudget: (budget: Partial<LiveBudget>) => void;
}

export const usePreferences = create<Preferences>()(
  persist(
    (set) => ({
      railCollapsed: false,
      singleKeys: true,
      detailStacked: false,
      detailWidth: 430,
      liveBudget: {},
      toggleRail: () => set((state) => ({ railCollapsed: !state.railCollapsed })),
      setSingleKeys: (singleKeys) => set({ singleKeys }),
      setDetailStacked: (detailStacked) => set({ detailStacked }),
      setDetailWidth: (detailWidth) => set({ detailWidth }),
      setLiveBudget: (liveBudget) => set({ liveBudget }),
    }),
    { name: 'patchbay-preferences', version: 1 },
  ),
);
