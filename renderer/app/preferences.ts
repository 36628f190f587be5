/** What this browser remembers of how the panel is used. Nothing of the gateway is kept here. */
import { create } from 'zustand';
import { persist } from 'zustand/middleware';

interface Preferences {
  readonly railCollapsed: boolean;
  /** Shortcuts of one plain key can be switched off (WCAG 2.1.4). */
  readonly singleKeys: boolean;
  readonly detailStacked: boolean;
  readonly toggleRail: () => void;
  readonly setSingleKeys: (on: boolean) => void;
  readonly setDetailStacked: (stacked: boolean) => void;
}

export const usePreferences = create<Preferences>()(
  persist(
    (set) => ({
      railCollapsed: false,
      singleKeys: true,
      detailStacked: false,
      toggleRail: () => set((state) => ({ railCollapsed: !state.railCollapsed })),
      setSingleKeys: (singleKeys) => set({ singleKeys }),
      setDetailStacked: (detailStacked) => set({ detailStacked }),
    }),
    { name: 'patchbay-preferences', version: 1 },
  ),
);
