import { Button } from '@mantine/core';
import { IconPlugConnectedX } from '@tabler/icons-react';
import { clockSeconds } from '../format.ts';
import { useClient, useConnection } from '../gateway.ts';
import { texts } from '../texts.ts';
import styles from './frame.module.css';

/** Shown while the engine is gone. Everything comes back without anyone's doing. */
export function Banner() {
  const connection = useConnection();
  const client = useClient();
  return (
    <div role="status" className={styles.bannerPlace}>
      {connection.phase === 'lost' && (
        <div className={styles.banner}>
          <IconPlugConnectedX size={17} aria-hidden />
          <strong>{texts.frame.engineStopped}</strong>
          <span>{texts.frame.engineStoppedText(clockSeconds(connection.since))}</span>
          <span className={styles.grow} />
          <Button variant="default" size="compact-xs" onClick={() => client.retry()}>
            {texts.frame.retryNow}
          </Button>
        </div>
      )}
    </div>
  );
}
