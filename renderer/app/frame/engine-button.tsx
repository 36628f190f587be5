import { Popover, UnstyledButton } from '@mantine/core';
import { IconActivityHeartbeat } from '@tabler/icons-react';
import { useState } from 'react';
import { useStatusValue } from '../gateway.ts';
import { texts } from '../texts.ts';
import { EngineHealthView } from './engine-health.tsx';
import styles from './engine-health.module.css';

/** Opens the engine's health; what it shows is only read while it is open. */
export function EngineButton() {
  const [opened, setOpened] = useState(false);
  const level = useStatusValue((report) => {
    if (report === undefined) return 'ok';
    const { threads, process, disk } = report.health;
    const levels = [process.memoryLevel, disk.level, ...Object.values(threads).map(({ heapLevel }) => heapLevel)];
    return levels.includes('critical') ? 'critical' : levels.includes('high') ? 'high' : 'ok';
  });
  return (
    <Popover position="bottom-end" width={680} shadow="md" trapFocus returnFocus opened={opened} onChange={setOpened}>
      <Popover.Target>
        <UnstyledButton className={styles.button} data-level={level} onClick={() => setOpened(!opened)}>
          <IconActivityHeartbeat size={16} aria-hidden />
          {texts.engine.button}
          {level !== 'ok' && <em>{texts.engine.levels[level]}</em>}
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown className={styles.dropdown} tabIndex={0} data-autofocus aria-label={texts.engine.title}>
        {opened && <EngineHealthView />}
      </Popover.Dropdown>
    </Popover>
  );
}
