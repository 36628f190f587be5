import { Button } from '@mantine/core';
import { IconDownload, IconRefresh, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import type { LetterGroup, LetterSelection } from '../../../gateway-core/protocol/dead-letters.ts';
import type { WireError } from '../../../gateway-core/protocol/frames.ts';
import { count } from '../../app/format.ts';
import { useClient, useConnection, useMayChange } from '../../app/gateway.ts';
import { texts } from '../../app/texts.ts';
import { asWireError } from '../../app/wire-errors.ts';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { DiscardDialog } from './discard-dialog.tsx';
import { exportLetters } from './export-letters.ts';
import { RetryDialog } from './retry-dialog.tsx';
import styles from './dead-letters.module.css';

const t = texts.deadLetters;

interface Props {
  readonly selection: LetterSelection;
  /** Letters it means. */
  readonly number: number;
  /** Of the filter, for saying what is lost. */
  readonly groups: readonly LetterGroup[];
  readonly picked: boolean;
  readonly clear: () => void;
}

/** What can be done with the selection, or with all of the filter when nothing is selected. */
export function Actions({ selection, number, groups, picked, clear }: Props) {
  const client = useClient();
  const connected = useConnection().phase === 'connected';
  const mayChange = useMayChange();
  /** The dialog keeps what it was opened for: letters that come meanwhile are not meant. */
  const [dialog, setDialog] = useState<{ act: 'retry' | 'discard'; selection: LetterSelection; number: number }>();
  const [exporting, setExporting] = useState<number>();
  const [unreadable, setUnreadable] = useState(0);
  const [error, setError] = useState<WireError>();
  const shown = count(number);
  const save = async (): Promise<void> => {
    setExporting(0);
    setError(undefined);
    try {
      setUnreadable((await exportLetters(client, selection, t.exportFile, setExporting)).unreadable);
    } catch (thrown) {
      setError(asWireError(thrown));
    } finally {
      setExporting(undefined);
    }
  };
  const close = (done: boolean): void => {
    setDialog(undefined);
    if (done) clear();
  };
  return (
    <>
      {picked && (
        <Button variant="subtle" onClick={clear}>
          {t.clearPick}
        </Button>
      )}
      <Button
        leftSection={<IconRefresh size={15} aria-hidden />}
        disabled={!mayChange || number === 0}
        onClick={() => setDialog({ act: 'retry', selection, number })}
      >
        {t.retryMany(shown)}
      </Button>
      <Button
        variant="default"
        leftSection={<IconDownload size={15} aria-hidden />}
        disabled={!connected || number === 0 || exporting !== undefined}
        onClick={() => void save()}
      >
        {exporting === undefined ? t.exportMany(shown) : t.exporting(count(exporting))}
      </Button>
      <Button
        variant="default"
        leftSection={<IconTrash size={15} aria-hidden />}
        disabled={!mayChange || number === 0}
        onClick={() => setDialog({ act: 'discard', selection, number })}
      >
        {t.discardMany(shown)}
      </Button>
      {connected && !mayChange && <p className={styles.headNote}>{t.readOnly}</p>}
      {unreadable > 0 && <p className={styles.headNote}>{t.exportUnreadable(count(unreadable))}</p>}
      {error !== undefined && (
        <div className={styles.headNote}>
          <ErrorPanel compact error={error} retry={() => void save()} />
        </div>
      )}
      {dialog?.act === 'retry' && <RetryDialog selection={dialog.selection} number={dialog.number} close={close} />}
      {dialog?.act === 'discard' && (
        <DiscardDialog
          selection={dialog.selection}
          number={dialog.number}
          instances={picked ? [] : [...new Set(groups.map(({ instance }) => instance))]}
          close={close}
        />
      )}
    </>
  );
}
