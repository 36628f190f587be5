import { Button } from '@mantine/core';
import { useEffect } from 'react';
import type { WireError } from '../../../gateway-core/protocol/frames.ts';
import { useClient } from '../../app/gateway.ts';
import { texts } from '../../app/texts.ts';
import { CopyButton } from '../../components/copy-button.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import styles from './session-page.module.css';

const t = texts.session;
const COMMAND = 'patchbay status --link';
/** A session opened in another tab lets this one in, too. */
const RETRY_MS = 5_000;

/** Why the engine does not let this browser in, and how to get in. */
export function SessionPage({ reason }: { reason: WireError }) {
  const client = useClient();
  useEffect(() => {
    const timer = setInterval(() => client.retry(), RETRY_MS);
    return () => clearInterval(timer);
  }, [client]);
  const noSession = reason.code === 'PB_NO_SESSION' || reason.code === 'PB_BAD_CODE';
  return (
    <main className={styles.page}>
      <div className={styles.card}>
        <img src="/icon.svg" alt="" width="36" height="36" />
        {noSession ? (
          <>
            <h1>{t.title}</h1>
            <p>{t.text}</p>
            <h2>{t.stepsTitle}</h2>
            <ol>
              <li>
                {t.step1}
                <span className={styles.command}>
                  <code>{COMMAND}</code>
                  <CopyButton text={COMMAND} label={texts.common.copy} />
                </span>
              </li>
              <li>{t.step2}</li>
            </ol>
            <Button variant="default" onClick={() => client.retry()}>
              {t.tryAgain}
            </Button>
          </>
        ) : (
          <ErrorPanel error={reason} retry={() => client.retry()} />
        )}
      </div>
    </main>
  );
}
