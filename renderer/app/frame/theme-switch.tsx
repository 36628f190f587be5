import { SegmentedControl, useMantineColorScheme, type MantineColorScheme } from '@mantine/core';
import { IconDeviceDesktop, IconMoon, IconSun } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { texts } from '../texts.ts';

const option = (
  value: MantineColorScheme,
  label: string,
  icon: ReactNode,
): { value: MantineColorScheme; label: ReactNode } => ({
  value,
  label: (
    <span title={label} className="theme-option">
      {icon}
      <span className="visually-hidden">{label}</span>
    </span>
  ),
});

/** Light, dark, or as the system is. Remembered in this browser. */
export function ThemeSwitch() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const t = texts.frame;
  return (
    <SegmentedControl
      size="xs"
      aria-label={t.theme}
      value={colorScheme}
      onChange={(value) => setColorScheme(value as MantineColorScheme)}
      data={[
        option('light', t.themeLight, <IconSun size={14} aria-hidden />),
        option('dark', t.themeDark, <IconMoon size={14} aria-hidden />),
        option('auto', t.themeSystem, <IconDeviceDesktop size={14} aria-hidden />),
      ]}
    />
  );
}
