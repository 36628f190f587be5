import { ActionIcon, Tooltip } from '@mantine/core';
import { IconLayoutSidebarLeftCollapse, IconLayoutSidebarLeftExpand } from '@tabler/icons-react';
import { Link, useLocation } from 'wouter';
import { count as exactCount, shortCount } from '../format.ts';
import { useDeadLettersValue } from '../gateway.ts';
import { screens } from '../navigation.ts';
import { usePreferences } from '../preferences.ts';
import { texts } from '../texts.ts';
import styles from './frame.module.css';
import { ThemeSwitch } from './theme-switch.tsx';

/** How many dead letters wait for someone. */
function LetterCount({ narrow }: { narrow: boolean }) {
  const count = useDeadLettersValue((state) => state?.count ?? 0);
  if (count === 0) return null;
  return (
    <span className={styles.railCount} data-narrow={narrow} title={texts.deadLetters.railBadge(exactCount(count))}>
      {shortCount(count)}
    </span>
  );
}

export function Rail() {
  const [path] = useLocation();
  const { railCollapsed, toggleRail } = usePreferences();
  const fold = railCollapsed ? texts.frame.expand : texts.frame.collapse;
  return (
    <nav className={styles.rail} aria-label={texts.frame.rail} data-collapsed={railCollapsed}>
      <ul>
        {screens.map(({ path: to, label, icon: Icon }) => {
          const here = path === to || path.startsWith(`${to}/`);
          return (
            <li key={to}>
              <Tooltip label={label} position="right" disabled={!railCollapsed}>
                <Link href={to} aria-current={here ? 'page' : undefined} aria-label={label} className={styles.railItem}>
                  <Icon size={18} stroke={1.7} aria-hidden />
                  {!railCollapsed && <span>{label}</span>}
                  {to === '/dead-letters' && <LetterCount narrow={railCollapsed} />}
                </Link>
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
