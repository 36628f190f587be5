import { Button, Modal, Textarea } from '@mantine/core';
import { useState } from 'react';
import type { LetterSelection } from '../../../gateway-core/protocol/dead-letters.ts';
import { count } from '../../app/format.ts';
import { useAction } from '../../app/gateway.ts';
import { texts } from '../../app/texts.ts';
import { ErrorPanel } from '../../components/error-panel.tsx';
import styles from './dead-letters.module.css';

const t = texts.deadLetters.discardDialog;

/** Says what is lost and asks why. `close(true)`: they are gone. */
export function DiscardDialog({
  selection,
  number,
  instances,
  close,
}: {
  selection: LetterSelection;
  number: number;
  /** Who refused them; empty: not said. */
  instances: readonly string[];
  close: (discarded: boolean) => void;
}) {
  const [reason, setReason] = useState('');
  const discard = useAction('deadletters.discard');
  const confirm = async (): Promise<void> => {
    const done = await discard.run({ selection, reason });
    if (done !== undefined) close(true);
  };
  return (
    <Modal opened onClose={() => close(false)} title={t.title(count(number))} size="lg">
      <div className={styles.dialog}>
        <h3>{t.lost}</h3>
        <ul className={styles.bullets}>
          <li>{t.messages(count(number))}</li>
          {instances.length > 0 && <li>{t.from(instances.join(', '))}</li>}
          <li>{t.undo}</li>
        </ul>
        <Textarea
          label={t.reason}
          description={t.reasonHelp}
          required
          autosize
          minRows={2}
          maxRows={6}
          maxLength={1000}
          data-autofocus
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        {discard.error !== undefined && <ErrorPanel compact error={discard.error} />}
        <div className={styles.dialogButtons}>
          <Button variant="default" onClick={() => close(false)}>
            {texts.common.cancel}
          </Button>
          <Button color="red" disabled={reason.trim() === '' || discard.pending} onClick={() => void confirm()}>
            {t.confirm(count(number))}
          </Button>
        </div>
      </div>
    </Modal>
  );
}
