import { bytes, count } from '../format.ts';
import { useAction, useCall } from '../gateway.ts';
import { texts } from '../texts.ts';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { LossDialog } from '../../components/loss-dialog.tsx';

const t = texts.spools;

/** Deletes what was kept of a sink that is not in the config any more. */
export function DiscardSpool({ sink, close }: { sink: string; close: () => void }) {
  const spools = useCall('spools.list', {});
  const discard = useAction('spools.discard');
  const found = spools.value?.spools.find((spool) => spool.sink === sink && spool.orphan);
  const run = async (): Promise<void> => {
    if ((await discard.run({ name: sink })) !== undefined) close();
  };
  const lost =
    spools.value === undefined
      ? texts.common.loading
      : found === undefined
        ? t.discardGone(sink)
        : found.messages < 0
          ? t.discardUnread(sink)
          : t.discardText(count(found.messages), bytes(found.bytes), sink);
  const confirm =
    found === undefined
      ? undefined
      : found.messages < 0
        ? t.discardConfirmUnread
        : t.discardConfirm(count(found.messages));
  return (
    <LossDialog
      title={t.discardTitle(sink)}
      lost={lost}
      confirm={confirm}
      pending={discard.pending}
      error={discard.error}
      run={() => void run()}
      close={close}
    >
      {spools.error !== undefined && <ErrorPanel compact error={spools.error} retry={spools.reload} />}
      {found !== undefined && (
        <>
          <p>{t.purgeAccepted}</p>
          <p>{t.discardAlternative(sink)}</p>
          <p>{t.cannotUndoDiscard}</p>
        </>
      )}
    </LossDialog>
  );
}
