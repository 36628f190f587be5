import { Button, Progress } from '@mantine/core';
import { useState } from 'react';
import type { RetryJob } from '../../../gateway-core/protocol/dead-letters.ts';
import { count } from '../../app/format.ts';
import { useAction, useMayChange } from '../../app/gateway.ts';
import { texts } from '../../app/texts.ts';
import { ErrorPanel } from '../../components/error-panel.tsx';
import styles from './dead-letters.module.css';

const t = texts.deadLetters.job;
/** What ended longer ago, before the page was opened, is for the events. */
const RECENT_MS = 60_000;

/** Retries on their way, and those that have just ended until they are dismissed. */
export function Jobs({ jobs }: { jobs: readonly RetryJob[] }) {
  const [opened] = useState(() => Date.now());
  const [dismissed, setDismissed] = useState<ReadonlySet<string>>(new Set());
  const shown = jobs.filter(({ id, ended }) => !dismissed.has(id) && (ended === 0 || ended > opened - RECENT_MS));
  if (shown.length === 0) return null;
  return (
    <ul className={styles.jobs} aria-label={t.label}>
      {shown.map((job) => (
        <Job key={job.id} job={job} dismiss={() => setDismissed(new Set([...dismissed, job.id]))} />
      ))}
    </ul>
  );
}

function Job({ job, dismiss }: { job: RetryJob; dismiss: () => void }) {
  const mayChange = useMayChange();
  const cancel = useAction('deadletters.cancel');
  const { state, total, done, to, delivered, filtered, refused, kept, error } = job;
  const running = state === 'running';
  const to_ = texts.deadLetters.detail.to[to];
  const head = running ? t.running(count(done), count(total), to_) : t.ended[state];
  const fine = state === 'done' && refused === 0 && kept === 0;
  return (
    <li className={styles.job} data-job={state} data-fine={fine}>
      <div className={styles.jobLine}>
        <span role="status">
          <strong>{head}</strong>
          {': '}
          {t.outcome(count(delivered), count(filtered), count(refused), count(kept))}
        </span>
        <span className={styles.spring} />
        {running ? (
          <Button
            variant="default"
            size="compact-xs"
            disabled={!mayChange || cancel.pending}
            onClick={() => void cancel.run({ job: job.id })}
          >
            {t.cancel}
          </Button>
        ) : (
          <Button variant="subtle" size="compact-xs" onClick={dismiss}>
            {t.dismiss}
          </Button>
        )}
      </div>
      {running && <Progress value={total === 0 ? 0 : (done / total) * 100} size="sm" aria-label={head} />}
      {error !== undefined && !fine && (
        <p className={styles.jobError}>
          {t.why}: {error.message} <code>{error.code}</code> <span className={styles.dim}>{error.remedy}</span>
        </p>
      )}
      {cancel.error !== undefined && <ErrorPanel compact error={cancel.error} />}
    </li>
  );
}
