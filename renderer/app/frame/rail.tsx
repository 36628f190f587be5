import { ActionIcon, Tooltip } from '@mantine/core';
import { IconLayoutSidebarLeftCollapse, IconLayoutSidebarLeftExpand } from '@tabler/icons-react';
import { Link, useLocation } from 'wouter';
import { count as exactCount, shortCount } from '../format.ts';
import { useDeadLettersValue } from '../gateway.ts';
import { screens, type Screen } from '../navigation.ts';
import { usePreferences } from '../preferences.ts';
import { texts } from '../texts.ts';
import styles from './frame.module.css';
import { ThemeSwitch } from './theme-switch.tsx';

function RailLink({ screen, here, narrow }: { screen: Screen; here: boolean; narrow: boolean }) {
  const { path, label, icon: Icon } = screen;
  // Of all screens only this one has something that waits for someone.
  const letters = useDeadLettersValue((state) => (path === '/dead-letters' ? (state?.count ?? 0) : 0));
  const waiting = letters === 0 ? '' : shortCount(letters);
  return (
    <Link
      href={path}
      aria-current={here ? 'page' : undefined}
      aria-label={!narrow ? undefined : waiting === '' ? label : `${label} ${waiting}`}
      className={styles.railItem}
    >
      <Icon size={18} stroke={1.7} aria-hidden />
      {!narrow && <span>{label}</span>}{' '}
      {waiting !== '' && (
        <span
          className={styles.railCount}
          data-narrow={narrow}
          title={texts.deadLetters.railBadge(exactCount(letters))}
        >
          {waiting}
        </span>
      )}
    </Link>
  );
}

export function Rail() {
  const [path] = useLocation();
  const { railCollapsed, toggleRail } = usePreferences();
  const fold = railCollapsed ? texts.frame.expand : texts.frame.collapse;
  return (
    <nav className={styles.rail} aria-label={texts.frame.rail} data-collapsed={railCollapsed}>
      <ul>
        {screens.map((screen) => {
          const { path: to, label } = screen;
          const here = path === to || path.startsWith(`${to}/`);
          return (
            <li key={to}>
              <Tooltip label={label} position="right" disabled={!railCollapsed}>
                <RailLink screen={screen} here={here} narrow={railCollapsed} />
              </Tooltip>
            </li>
          );
        })}
      </ul>
      <div className={styles.railFoot}>
        {!railCollapsed && <ThemeSwitch />}
        <Tooltip label={fold} position="right">
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={fold}
            aria-expanded={!railCollapsed}
            onClick={toggleRail}
          >
            {railCollapsed ? (
              <IconLayoutSidebarLeftExpand size={18} stroke={1.7} />
            ) : (
              <IconLayoutSidebarLeftCollapse size={18} stroke={1.7} />
            )}
          </ActionIcon>
        </Tooltip>
      </div>
    </nav>
  );
}
