/** Asks before messages are lost for good: says which and how many, and that there is no way back. */
import { Button, Modal } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { WireError } from '../../gateway-core/protocol/frames.ts';
import { texts } from '../app/texts.ts';
import { ErrorPanel } from './error-panel.tsx';
import styles from './loss-dialog.module.css';

export function LossDialog({
  title,
  lost,
  children,
  confirm,
  pending,
  error,
  run,
  close,
}: {
  title: string;
  /** What is lost, with the number. */
  lost: string;
  children?: ReactNode;
  /** Words of the button; undefined: there is nothing to lose any more, and none is shown. */
  confirm: string | undefined;
  pending: boolean;
  error: WireError | undefined;
  run: () => void;
  close: () => void;
}) {
  return (
    <Modal opened onClose={close} title={title} size="md">
      <div className={styles.body}>
        <p className={styles.lost}>
          <IconAlertTriangle size={17} aria-hidden />
          <strong>{lost}</strong>
        </p>
        {children}
        {error !== undefined && <ErrorPanel compact error={error} />}
        <div className={styles.buttons}>
          {/* What does no harm has the focus. */}
          <Button variant="default" onClick={close} data-autofocus>
            {texts.common.cancel}
          </Button>
          {confirm !== undefined && (
            <Button color="red" loading={pending} onClick={run}>
              {confirm}
            </Button>
          )}
        </div>
      </div>
    </Modal>
  );
}
