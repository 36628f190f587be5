import { Button, NumberInput, Popover } from '@mantine/core';
import { IconGauge } from '@tabler/icons-react';
import { useState } from 'react';
import type { LiveBudget } from '../../../gateway-core/protocol/model.ts';
import { usePreferences } from '../../app/preferences.ts';
import { texts } from '../../app/texts.ts';
import styles from './live-page.module.css';

const t = texts.live;
const MIB = 1024 * 1024;

/** Default budgets of the engine (protocol/model.ts). */
const DEFAULTS: LiveBudget = { rowsPerSecond: 200, bytesPerSecond: MIB, ringBytes: 16 * MIB };

function Form({ start, done }: { start: LiveBudget; done: () => void }) {
  const setLiveBudget = usePreferences((state) => state.setLiveBudget);
  const [rows, setRows] = useState<number | string>(start.rowsPerSecond);
  const [kib, setKib] = useState<number | string>(Math.round(start.bytesPerSecond / 1024));
  const [ring, setRing] = useState<number | string>(Math.round(start.ringBytes / MIB));
  const complete = [rows, kib, ring].every((value) => typeof value === 'number');
  return (
    <form
      className={styles.budget}
      onSubmit={(event) => {
        event.preventDefault();
        setLiveBudget({
          rowsPerSecond: Number(rows),
          bytesPerSecond: Number(kib) * 1024,
          ringBytes: Number(ring) * MIB,
        });
        done();
      }}
    >
      <h2>{t.budgetTitle}</h2>
      <p>{t.budgetText}</p>
      <NumberInput
        label={t.rowsPerSecond}
        value={rows}
        onChange={setRows}
        min={1}
        max={5_000}
        clampBehavior="blur"
        allowDecimal={false}
      />
      <NumberInput
        label={t.bytesPerSecond}
        value={kib}
        onChange={setKib}
        min={16}
        max={65_536}
        clampBehavior="blur"
        allowDecimal={false}
      />
      <NumberInput
        label={t.ringMegabytes}
        value={ring}
        onChange={setRing}
        min={1}
        max={256}
        clampBehavior="blur"
        allowDecimal={false}
      />
      <div className={styles.budgetButtons}>
        <Button
          variant="default"
          onClick={() => {
            setLiveBudget({});
            done();
          }}
        >
          {t.reset}
        </Button>
        <Button type="submit" disabled={!complete}>
          {t.apply}
        </Button>
      </div>
    </form>
  );
}

/** What watching may cost: three budgets, remembered in this browser. */
export function BudgetButton({ chosen, granted }: { chosen: Partial<LiveBudget>; granted: LiveBudget | undefined }) {
  const [opened, setOpened] = useState(false);
  const start = { ...DEFAULTS, ...granted, ...chosen };
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-end" width={290} shadow="md" trapFocus returnFocus>
      <Popover.Target>
        <Button
          variant="default"
          leftSection={<IconGauge size={15} aria-hidden />}
          onClick={() => setOpened((open) => !open)}
        >
          {t.budget}
        </Button>
      </Popover.Target>
      <Popover.Dropdown className={styles.dropdown} aria-label={t.budgetTitle}>
        <Form start={start} done={() => setOpened(false)} />
      </Popover.Dropdown>
    </Popover>
  );
}
