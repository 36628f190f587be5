import { Popover, UnstyledButton } from '@mantine/core';
import { IconAlertTriangleFilled, IconCircleCheck } from '@tabler/icons-react';
import type { NeedsYou } from '../../../gateway-core/protocol/model.ts';
import { Ago } from '../../components/ago.tsx';
import { texts } from '../texts.ts';
import styles from './frame.module.css';

/** The list of what an operator should look at, each with its remedy. */
export function NeedsYouButton({ items, stale }: { items: readonly NeedsYou[]; stale: boolean }) {
  const t = texts.frame;
  const calm = items.length === 0;
  return (
    <Popover position="bottom-end" width={420} shadow="md" trapFocus returnFocus>
      <Popover.Target>
        <UnstyledButton className={styles.needs} data-calm={calm} data-stale={stale}>
          {calm ? <IconCircleCheck size={15} aria-hidden /> : <IconAlertTriangleFilled size={14} aria-hidden />}
          {calm ? t.nothingNeedsYou : t.needYou(items.length)}
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown className={styles.needsList} tabIndex={0} data-autofocus>
        {calm ? (
          <p className={styles.needsCalm}>{t.nothingNeedsYouText}</p>
        ) : (
          <>
            <h2>{t.needYouTitle}</h2>
            <ul>
              {items.map((item) => (
                <li key={`${item.code} ${item.subject}`}>
                  <p>
                    {item.message.includes(item.subject) || <strong>{item.subject}: </strong>}
                    {item.message}
                  </p>
                  <p>{item.remedy}</p>
                  <p className={styles.dim}>
                    <code>{item.code}</code> · {t.since} <Ago time={item.since} />
                  </p>
                </li>
              ))}
            </ul>
          </>
        )}
      </Popover.Dropdown>
    </Popover>
  );
}
