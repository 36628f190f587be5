import { useCallback, useEffect, useState, type ReactNode } from 'react';
import { useLocation } from 'wouter';
import { useKeys } from '../keys.ts';
import { screens } from '../navigation.ts';
import { usePreferences } from '../preferences.ts';
import { texts } from '../texts.ts';
import { Banner } from './banner.tsx';
import { Foot } from './foot.tsx';
import styles from './frame.module.css';
import { Palette } from './palette.tsx';
import { Rail } from './rail.tsx';
import { Shortcuts } from './shortcuts.tsx';
import { TopBar } from './top-bar.tsx';

/** What is around every screen. */
export function Frame({ children }: { children: ReactNode }) {
  const [path, navigate] = useLocation();
  const [open, setOpen] = useState<'palette' | 'shortcuts'>();
  const close = useCallback(() => setOpen(undefined), []);
  const openPalette = useCallback(() => setOpen('palette'), []);
  const openShortcuts = useCallback(() => setOpen('shortcuts'), []);

  useKeys({
    'mod+k': openPalette,
    '?': openShortcuts,
    '[': () => usePreferences.getState().toggleRail(),
    ...Object.fromEntries(screens.map((screen) => [`g ${screen.key}`, () => navigate(screen.path)])),
  });

  const screen = screens.find(({ path: at }) => path === at || path.startsWith(`${at}/`));
  useEffect(() => {
    document.title = screen === undefined ? texts.frame.product : `${screen.label} · ${texts.frame.product}`;
  }, [screen]);

  return (
    <div className={styles.frame}>
      <TopBar openPalette={openPalette} openShortcuts={openShortcuts} />
      <Banner />
      <Rail />
      <main id="content" className={styles.main} tabIndex={-1}>
        {children}
      </main>
      <Foot />
      <Palette opened={open === 'palette'} close={close} openShortcuts={openShortcuts} />
      <Shortcuts opened={open === 'shortcuts'} close={close} />
    </div>
  );
}
