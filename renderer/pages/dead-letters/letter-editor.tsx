import { Button, Textarea, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { LetterChange, LetterDetail, LetterMessage } from '../../../gateway-core/protocol/dead-letters.ts';
import { useAction } from '../../app/gateway.ts';
import { useKeys } from '../../app/keys.ts';
import { texts } from '../../app/texts.ts';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { changeOf, draftOf, faultsOf, type LetterDraft } from './letter-draft.ts';
import styles from './dead-letters.module.css';

const t = texts.deadLetters.editor;

/** Changes payload, type, subject, key and attributes. `close` when it was saved, or given up. */
export function LetterEditor({
  detail,
  message,
  close,
}: {
  detail: LetterDetail;
  message: LetterMessage;
  close: () => void;
}) {
  const { letter } = detail;
  /** What the edit began from: someone else's edit meanwhile is a conflict, not overwritten. */
  const [base] = useState({ message, revision: detail.revision });
  const [draft, setDraft] = useState<LetterDraft>(() => draftOf(message));
  const edit = useAction('deadletters.edit');
  const retry = useAction('deadletters.retry');
  const faults = faultsOf(draft, base.message);
  const change: LetterChange | undefined = changeOf(draft, base.message);
  const pending = edit.pending || retry.pending;
  const ready = change !== undefined && faults.payload === undefined && faults.attributes === undefined && !pending;
  const save = async (andRetry: boolean): Promise<void> => {
    if (change === undefined || !ready) return;
    if ((await edit.run({ id: letter.id, revision: base.revision, change })) === undefined) return;
    if (andRetry) await retry.run({ selection: { ids: [letter.id] }, to: 'place' });
    close();
  };
  useKeys({ 'mod+s': () => void save(false) });
  const field = (key: keyof LetterDraft) => (event: { currentTarget: { value: string } }) =>
    setDraft({ ...draft, [key]: event.currentTarget.value });
  const { form } = base.message.payload;
  return (
    <form
      className={styles.editor}
      aria-label={t.title}
      onSubmit={(event) => {
        event.preventDefault();
        void save(false);
      }}
    >
      {form !== 'large' && (
        <Textarea
          label={
            form === 'bytes' ? t.payload.base64 : form === 'json' || form === 'metric' ? t.payload.json : t.payload.text
          }
          error={faults.payload}
          autosize
          minRows={5}
          maxRows={18}
          spellCheck={false}
          classNames={{ input: styles.code ?? '' }}
          value={draft.payload}
          onChange={field('payload')}
        />
      )}
      <div className={styles.editorFields}>
        <TextInput label={t.type} value={draft.type} onChange={field('type')} />
        <TextInput label={t.subject} value={draft.subject} onChange={field('subject')} />
        <TextInput label={t.partitionkey} value={draft.partitionkey} onChange={field('partitionkey')} />
      </div>
      <Textarea
        label={t.attributes}
        error={faults.attributes}
        autosize
        minRows={2}
        maxRows={8}
        spellCheck={false}
        classNames={{ input: styles.code ?? '' }}
        value={draft.attributes}
        onChange={field('attributes')}
      />
      {edit.error !== undefined && <ErrorPanel compact error={edit.error} />}
      {retry.error !== undefined && <ErrorPanel compact error={retry.error} />}
      <p className={styles.dim}>{change === undefined ? t.unchanged : t.help}</p>
      <div className={styles.dialogButtons}>
        <Button variant="default" onClick={close}>
          {texts.common.cancel}
        </Button>
        <Button variant="default" type="submit" disabled={!ready}>
          {t.save}
        </Button>
        <Button disabled={!ready} onClick={() => void save(true)}>
          {t.saveAndRetry}
        </Button>
      </div>
    </form>
  );
}
