import { Button, Modal, NumberInput, Radio } from '@mantine/core';
import { useState } from 'react';
import type { LetterSelection, RetryTo } from '../../../gateway-core/protocol/dead-letters.ts';
import { count } from '../../app/format.ts';
import { useAction } from '../../app/gateway.ts';
import { texts } from '../../app/texts.ts';
import { ErrorPanel } from '../../components/error-panel.tsx';
import styles from './dead-letters.module.css';

const t = texts.deadLetters.retryDialog;

/** Asks where many letters go, and how fast. `close(true)`: the retry has begun. */
export function RetryDialog({
  selection,
  number,
  close,
}: {
  selection: LetterSelection;
  number: number;
  close: (begun: boolean) => void;
}) {
  const [to, setTo] = useState<RetryTo>('place');
  const [rate, setRate] = useState<number | ''>('');
  const retry = useAction('deadletters.retry');
  const begin = async (): Promise<void> => {
    const begun = await retry.run({ selection, to, ...(rate === '' ? {} : { perSecond: rate }) });
    if (begun !== undefined) close(true);
  };
  return (
    <Modal opened onClose={() => close(false)} title={t.title(count(number))} size="lg">
      <div className={styles.dialog}>
        <Radio.Group label={t.where} value={to} onChange={(value) => setTo(value as RetryTo)}>
          <div className={styles.radios}>
            <Radio value="place" label={t.place} description={t.placeHelp} />
            <Radio value="start" label={t.start} description={t.startHelp} />
          </div>
        </Radio.Group>
        <NumberInput
          label={t.rate}
          description={t.rateHelp}
          min={1}
          max={1_000_000}
          allowDecimal={false}
          w={260}
          value={rate}
          onChange={(value) => setRate(typeof value === 'number' ? value : '')}
        />
        <p className={styles.dim}>{t.order}</p>
        {retry.error !== undefined && <ErrorPanel compact error={retry.error} />}
        <div className={styles.dialogButtons}>
          <Button variant="default" onClick={() => close(false)} data-autofocus>
            {texts.common.cancel}
          </Button>
          <Button disabled={retry.pending} onClick={() => void begin()}>
            {t.confirm(count(number))}
          </Button>
        </div>
      </div>
    </Modal>
  );
}
