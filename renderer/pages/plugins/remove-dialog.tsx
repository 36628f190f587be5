import { Button, Checkbox, Modal, Progress } from '@mantine/core';
import { useMemo, useState } from 'react';
import type { ConfigDocument } from '../../../gateway-core/protocol/contract.ts';
import { useAction, useStatusValue } from '../../app/gateway.ts';
import { count } from '../../app/format.ts';
import { texts } from '../../app/texts.ts';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { SpoolQuestion, type SpoolChoices } from '../../components/spool-question.tsx';
import { mergeUndelivered, undeliveredOf } from '../../components/undelivered.ts';
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
  const sink = useStatusValue((report) => report?.sinks[name]);
  const onDisk = sink?.buffer === 'disk';
  const held = sink?.spooled ?? 0;
  const [chosen, setChosen] = useState<SpoolChoices>({});
  const [toDrain, setToDrain] = useState(0);

  // Once asked, asked: what passes through a healthy spool comes and goes by the second.
  const asked = mergeUndelivered(preview.value?.plan.undelivered, undeliveredOf(edit.error));
  const undelivered = Object.fromEntries(
    Object.entries(asked).map(([other, messages]) => [other, other === name && sink !== undefined ? held : messages]),
  );
  const healthy = sink?.state === 'running' && sink.circuit === 'closed' && !sink.paused;
  const choices: SpoolChoices = {
    ...(asked[name] !== undefined && healthy ? { [name]: 'drain' as const } : {}),
    ...chosen,
  };
  const undecided = Object.keys(asked).some((other) => choices[other] === undefined);
  const blocked = removal.emptied.length > 0 && !agreed;
  const draining = edit.pending && choices[name] === 'drain';
  // What it holds is asked above the plan.
  const plan = preview.value === undefined ? undefined : { steps: preview.value.plan.steps };
  const confirm = async (): Promise<void> => {
    setToDrain(held);
    const done = await edit.run({
      edits: removal.edits,
      baseVersion: document.version,
      comment: `delete ${name}`,
      ...(Object.keys(asked).length > 0 ? { spools: choices } : {}),
    });
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
          {placed.section === 'sinks' && !onDisk && (
            <li>{(sink?.queued ?? 0) > 0 ? t.messages(count(sink?.queued ?? 0)) : t.noMessages}</li>
          )}
          {onDisk && Object.keys(asked).length === 0 && <li>{t.noMessages}</li>}
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
        <SpoolQuestion undelivered={undelivered} choices={choices} disabled={edit.pending} choose={setChosen} />
        <PlanView plan={plan} problems={preview.value?.problems ?? []} />
        {draining && (
          <div role="status" className={styles.stackTight}>
            <p>{texts.spools.delivering(count(held), count(Math.max(held, toDrain)))}</p>
            <Progress
              value={toDrain === 0 ? 100 : (1 - Math.min(1, held / toDrain)) * 100}
              aria-label={texts.spools.choices.drain}
            />
            <p className={styles.small}>{texts.spools.deliveringText}</p>
          </div>
        )}
        {edit.error !== undefined && <ErrorPanel compact error={edit.error} />}
        {blocked && <p className={styles.dim}>{t.refused}</p>}
        {!blocked && undecided && <p className={styles.dim}>{texts.spools.choose}</p>}
        <div className={styles.dialogButtons}>
          <Button variant="default" onClick={close} data-autofocus>
            {draining ? texts.common.close : texts.common.cancel}
          </Button>
          <Button
            color="red"
            loading={edit.pending}
            disabled={blocked || undecided || !preview.settled}
            onClick={() => void confirm()}
          >
            {t.confirm}
          </Button>
        </div>
      </div>
    </Modal>
  );
}
