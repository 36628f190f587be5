import { ActionIcon, Tooltip, UnstyledButton } from '@mantine/core';
import { IconHelp, IconSearch } from '@tabler/icons-react';
import { Rate } from '../../components/rate.tsx';
import { StateDot } from '../../components/state-dot.tsx';
import { exactTime, span } from '../format.ts';
import { useStatus } from '../gateway.ts';
import { texts } from '../texts.ts';
import { EngineButton } from './engine-button.tsx';
import styles from './frame.module.css';
import { NeedsYouButton } from './needs-you.tsx';

/** Which gateway, how it is, what flows, what needs someone. */
export function TopBar({ openPalette, openShortcuts }: { openPalette: () => void; openShortcuts: () => void }) {
  const { value: status, stale } = useStatus();
  const t = texts.frame;
  return (
    <header className={styles.top}>
      <a href="#content" className={styles.skip}>
        {t.skip}
      </a>
      <span className={styles.brand}>
        <img src="/icon.svg" alt="" width="20" height="20" />
        <span>{t.product}</span>
      </span>
      <span className={styles.gateway} data-stale={stale}>
        <StateDot state={status === undefined || stale ? 'unknown' : status.state} />
        <strong>{status === undefined || status.project === 'default' ? t.thisComputer : status.project}</strong>
        {status !== undefined && (
          <span className={styles.dim} title={`${t.since} ${exactTime(status.time - status.uptimeSeconds * 1000)}`}>
            {status.state === 'running'
              ? t.runningFor(span(status.uptimeSeconds))
              : `${t.states[status.state]} · ${span(status.uptimeSeconds)}`}
          </span>
        )}
      </span>
      {status?.configured === true && (
        <span className={styles.rates} data-stale={stale}>
          <span>
            {t.in}{' '}
            <strong>
              <Rate value={status.inPerSecond} />
            </strong>
          </span>
          <span>
            {t.out}{' '}
            <strong>
              <Rate value={status.outPerSecond} />
            </strong>
          </span>
        </span>
      )}
      <span className={styles.grow} />
      {status !== undefined && <NeedsYouButton items={status.needsYou} stale={stale} />}
      <EngineButton />
      <UnstyledButton className={styles.search} onClick={openPalette}>
        <IconSearch size={15} aria-hidden />
        <span className={styles.searchText}>{t.searchOrRun}</span>
        <kbd aria-hidden>Ctrl K</kbd>
      </UnstyledButton>
      <Tooltip label={`${t.shortcuts} (?)`}>
        <ActionIcon variant="subtle" color="gray" aria-label={t.shortcuts} onClick={openShortcuts}>
          <IconHelp size={18} stroke={1.7} />
        </ActionIcon>
      </Tooltip>
    </header>
  );
}
