import { Button } from '@mantine/core';
import { IconFileImport, IconPlayerPlay, IconSquareRoundedPlus } from '@tabler/icons-react';
import { useState, type ReactNode } from 'react';
import { useLocation } from 'wouter';
import { useAction, useMayChange } from '../../app/gateway.ts';
import { texts } from '../../app/texts.ts';
import { href } from '../../app/url-state.ts';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { ImportConfig } from './import-config.tsx';
import styles from './first-run-page.module.css';

const t = texts.firstRun;

function Choice({ icon, title, text, action }: { icon: ReactNode; title: string; text: string; action: ReactNode }) {
  return (
    <section className={styles.choice}>
      <span className={styles.icon} aria-hidden>
        {icon}
      </span>
      <h2>{title}</h2>
      <p>{text}</p>
      {action}
    </section>
  );
}

/** Shown until the gateway has a config: demo, import or empty. */
export function FirstRunPage() {
  const [, navigate] = useLocation();
  const [importing, setImporting] = useState(false);
  const demo = useAction('setup.demo');
  const empty = useAction('setup.empty');
  const mayChange = useMayChange();
  const busy = demo.pending || empty.pending;
  const error = demo.error ?? empty.error;

  const startDemo = async (): Promise<void> => {
    // The page is there before status says `configured`, so the URL decides what comes up.
    if ((await demo.run({})) !== undefined) navigate('/live', { replace: true });
  };
  const startEmpty = async (): Promise<void> => {
    if ((await empty.run({})) !== undefined) navigate(href('/plugins', { hint: 'first' }), { replace: true });
  };

  if (importing)
    return <ImportConfig back={() => setImporting(false)} done={() => navigate('/live', { replace: true })} />;
  return (
    <div className={styles.page}>
      <h1>{t.title}</h1>
      <p className={styles.lead}>{t.lead}</p>
      {error !== undefined && (
        <div className={styles.failed}>
          <ErrorPanel compact error={error} />
        </div>
      )}
      <div className={styles.choices}>
        <Choice
          icon={<IconPlayerPlay size={26} stroke={1.5} />}
          title={t.demo}
          text={t.demoText}
          action={
            <Button
              loading={demo.pending}
              disabled={!mayChange || (busy && !demo.pending)}
              onClick={() => void startDemo()}
            >
              {t.demoAction}
            </Button>
          }
        />
        <Choice
          icon={<IconFileImport size={26} stroke={1.5} />}
          title={t.import}
          text={t.importText}
          action={
            <Button variant="default" disabled={busy} onClick={() => setImporting(true)}>
              {t.importAction}
            </Button>
          }
        />
        <Choice
          icon={<IconSquareRoundedPlus size={26} stroke={1.5} />}
          title={t.empty}
          text={t.emptyText}
          action={
            <Button
              variant="default"
              loading={empty.pending}
              disabled={!mayChange || (busy && !empty.pending)}
              onClick={() => void startEmpty()}
            >
              {t.emptyAction}
            </Button>
          }
        />
      </div>
    </div>
  );
}
