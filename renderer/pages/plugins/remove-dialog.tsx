import { Button, Checkbox, Modal } from '@mantine/core';
import { useMemo, useState } from 'react';
import type { ConfigDocument } from '../../../gateway-core/protocol/contract.ts';
import { useAction, useStatusValue } from '../../app/gateway.ts';
import { count } from '../../app/format.ts';
import { texts } from '../../app/texts.ts';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { removeInstance, type Placed } from './catalogue.ts';
import { PlanView } from './plan-view.tsx';
import { useAsTyped } from './use-as-typed.ts';
import styles from './plugins.module.css';

/** Says what is lost and what stops; pipelines that could not go on are only deleted when ticked. */
export function RemoveDialog({
  placed,
  document,
  close,
}: {
  placed: Placed;
  document: ConfigDocument;
  close: () => void;
}) {
  const t = texts.plugins.remove;
  const { name } = placed;
  const removal = useMemo(() => removeInstance(document.config, placed), [document.config, placed]);
  const [agreed, setAgreed] = useState(false);
  const edit = useAction('config.edit');
  const preview = useAsTyped('config.preview', { edits: removal.edits }, 0);
  const waiting = useStatusValue((report) => {
    const sink = report?.sinks[name];
    return sink === undefined ? 0 : sink.spooled + sink.queued;
  });
  const blocked = removal.emptied.length > 0 && !agreed;
  const confirm = async (): Promise<void> => {
    const done = await edit.run({ edits: removal.edits, baseVersion: document.version, comment: `delete ${name}` });
    if (done !== undefined) close();
  };
  return (
    <Modal
      opened
      onClose={close}
      title={t.title(name)}
      size="lg"
      closeButtonProps={{ 'aria-label': texts.common.close }}
    >
      <div className={styles.stackTight}>
        <h3>{t.lost}</h3>
        <ul className={styles.bullets}>
          <li>{t.config}</li>
          {placed.section === 'sinks' && <li>{waiting > 0 ? t.messages(count(waiting)) : t.noMessages}</li>}
          {removal.leaves.length > 0 && <li>{t.pipelines(removal.leaves.join(', '))}</li>}
          {removal.events && <li>{t.events}</li>}
          {removal.emptied.length > 0 && <li>{t.emptied(removal.emptied.join(', '))}</li>}
        </ul>
        {removal.emptied.length > 0 && (
          <Checkbox
            label={t.alsoDelete(removal.emptied.join(', '))}
            checked={agreed}
            onChange={(event) => setAgreed(event.currentTarget.checked)}
          />
        )}
        <PlanView plan={preview.value?.plan} problems={preview.value?.problems ?? []} />
        {edit.error !== undefined && <ErrorPanel compact error={edit.error} />}
        {blocked && <p className={styles.dim}>{t.refused}</p>}
        <div className={styles.dialogButtons}>
          <Button variant="default" onClick={close} data-autofocus>
            {texts.common.cancel}
          </Button>
          <Button color="red" disabled={blocked || edit.pending} onClick={() => void confirm()}>
            {t.confirm}
          </Button>
        </div>
      </div>
    </Modal>
  );
}
