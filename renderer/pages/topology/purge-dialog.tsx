import { count } from '../../app/format.ts';
import { useAction, useStatusValue } from '../../app/gateway.ts';
import { texts } from '../../app/texts.ts';
import { LossDialog } from '../../components/loss-dialog.tsx';
import { waitingBefore } from './spool-view.ts';

const t = texts.spools;

/** Drops what waits before a sink, or to begin in a pipeline. `done` gets how many it were. */
export function PurgeDialog({
  name,
  of,
  close,
  done,
}: {
  name: string;
  of: 'sink' | 'pipeline';
  close: () => void;
  done: (messages: number) => void;
}) {
  const purge = useAction('flow.purge');
  const sink = useStatusValue((report) => (of === 'sink' ? report?.sinks[name] : undefined));
  const inFlight = useStatusValue((report) => report?.pipelines[name]?.inFlight) ?? 0;
  const run = async (): Promise<void> => {
    const result = await purge.run({ name });
    if (result === undefined) return;
    done(result.messages);
    close();
  };
  const waiting = sink === undefined ? 0 : waitingBefore(sink);
  const n = of === 'sink' ? waiting : inFlight;
  const lost =
    of === 'sink'
      ? waiting === 0
        ? t.purgeNothing(name)
        : t.purgeSinkText(count(waiting), name)
      : inFlight === 0
        ? t.purgePipelineNothing(name)
        : t.purgePipelineText(count(inFlight), name);
  return (
    <LossDialog
      title={t.purgeTitle(name)}
      lost={lost}
      confirm={of === 'sink' && n > 0 ? t.purgeConfirm(count(n)) : t.purgeConfirmAny}
      pending={purge.pending}
      error={purge.error}
      run={() => void run()}
      close={close}
    >
      <p>{sink?.buffer === 'disk' ? t.purgeAccepted : t.purgeUnacknowledged}</p>
      <p>{t.cannotUndo}</p>
    </LossDialog>
  );
}
