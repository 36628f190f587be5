/** One letter: why it was refused, the message, what was done with it, and what can be done. */
import { ActionIcon, Button, Tooltip } from '@mantine/core';
import { IconSitemap, IconX } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { Link } from 'wouter';
import type { LetterAct, LetterDetail, RetryTo } from '../../../gateway-core/protocol/dead-letters.ts';
import { bytes, exactTime } from '../../app/format.ts';
import { useAction, useCall, useMayChange } from '../../app/gateway.ts';
import { texts } from '../../app/texts.ts';
import { href, useUrlState } from '../../app/url-state.ts';
import { Ago } from '../../components/ago.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { withCode } from '../../components/form/with-code.tsx';
import { Json } from '../../components/json.tsx';
import { Loading } from '../../components/loading.tsx';
import { DiscardDialog } from './discard-dialog.tsx';
import { LetterEditor } from './letter-editor.tsx';
import { PayloadView } from './payload-view.tsx';
import styles from './dead-letters.module.css';

const t = texts.deadLetters.detail;

/** `round` rises when letters changed: it is then loaded anew. */
export function LetterDetailView({ id, round }: { id: number; round: number }) {
  const { set } = useUrlState();
  const detail = useCall('deadletters.show', { id });
  const { reload } = detail;
  const begun = useRef(round);
  useEffect(() => {
    if (begun.current !== round) reload();
    begun.current = round;
  }, [round, reload]);
  const gone = detail.error?.code === 'PB_LETTER_UNKNOWN';
  return (
    <aside id="letter" className={styles.detail} tabIndex={-1} aria-label={t.label} data-stale={detail.stale}>
      <div className={styles.detailHead}>
        <h2>{detail.value === undefined || gone ? t.label : t.title(detail.value.letter.instance)}</h2>
        <ActionIcon variant="subtle" color="gray" aria-label={t.close} onClick={() => set({ letter: undefined })}>
          <IconX size={16} />
        </ActionIcon>
      </div>
      {gone ? (
        <EmptyState title={t.gone}>{t.goneText}</EmptyState>
      ) : detail.value !== undefined ? (
        <Letter detail={detail.value} reload={reload} />
      ) : detail.error !== undefined ? (
        <ErrorPanel error={detail.error} retry={reload} />
      ) : (
        <Loading />
      )}
    </aside>
  );
}

function Letter({ detail, reload }: { detail: LetterDetail; reload: () => void }) {
  const mayChange = useMayChange();
  const { set } = useUrlState();
  const retry = useAction('deadletters.retry');
  const [editing, setEditing] = useState(false);
  const [discarding, setDiscarding] = useState(false);
  const { letter, message, problem, original } = detail;
  const { id, instance, place, code } = letter;
  const selection = { ids: [id] };
  const usable = mayChange && !letter.busy;
  const begin = (to: RetryTo): void => void retry.run({ selection, to });
  return (
    <div className={styles.detailBody}>
      <div className={styles.why} role="group" aria-label={texts.common.cause}>
        <p className={styles.whyCause} tabIndex={detail.cause.length > 500 ? 0 : undefined}>
          {detail.cause}
        </p>
        <p className={styles.dim}>
          <code>{code}</code>
          {detail.remedy !== '' && <> · {withCode(detail.remedy)}</>}
        </p>
      </div>
      <div className={styles.acts}>
        <Tooltip label={t.retryHereHelp[place](instance)} multiline maw={300}>
          <Button px={11} disabled={!usable || message === undefined || retry.pending} onClick={() => begin('place')}>
            {t.retryHere}
          </Button>
        </Tooltip>
        <Tooltip label={t.retryStartHelp} multiline maw={300}>
          <Button
            px={11}
            variant="default"
            disabled={!usable || message === undefined || retry.pending}
            onClick={() => begin('start')}
          >
            {t.retryStart}
          </Button>
        </Tooltip>
        <Button
          px={11}
          variant="default"
          disabled={!usable || message === undefined}
          aria-expanded={editing}
          onClick={() => setEditing(!editing)}
        >
          {t.edit}
        </Button>
        <Button px={11} variant="default" disabled={!usable} onClick={() => setDiscarding(true)}>
          {t.discard}
        </Button>
        {letter.busy && (
          <span className={styles.dim} role="status">
            {t.retrying}
          </span>
        )}
      </div>
      {retry.error !== undefined && <ErrorPanel compact error={retry.error} />}
      {problem !== undefined && <ErrorPanel compact error={problem} />}
      {editing && message !== undefined ? (
        <LetterEditor
          detail={detail}
          message={message}
          close={() => {
            setEditing(false);
            reload();
          }}
        />
      ) : (
        message !== undefined && <PayloadView payload={message.payload} />
      )}
      <Facts detail={detail} />
      {detail.stack !== '' && (
        <details className={styles.block}>
          <summary>{t.stack}</summary>
          <pre className={styles.pre} tabIndex={0} role="group" aria-label={t.stack}>
            {detail.stack}
          </pre>
        </details>
      )}
      <History detail={detail} />
      {message !== undefined && !editing && (
        <>
          <details className={styles.block}>
            <summary>{t.attributes}</summary>
            {Object.keys(message.attributes).length === 0 ? (
              <p className={styles.dim}>{t.noAttributes}</p>
            ) : (
              <Json label={t.attributes} value={message.attributes} />
            )}
          </details>
          <details className={styles.block}>
            <summary>CloudEvent</summary>
            <Json label="CloudEvent" value={message.event} />
          </details>
        </>
      )}
      {original !== undefined && (
        <details className={styles.block}>
          <summary>{t.original}</summary>
          <Json label={t.original} value={original} />
        </details>
      )}
      {discarding && (
        <DiscardDialog
          selection={selection}
          number={1}
          instances={[instance]}
          close={(done) => {
            setDiscarding(false);
            if (done) set({ letter: undefined });
          }}
        />
      )}
    </div>
  );
}

function Facts({ detail: { letter } }: { detail: LetterDetail }) {
  const { instance, place, pipeline, origin, stored, attempts, retries, messageId } = letter;
  return (
    <dl className={styles.facts}>
      <dt>{texts.deadLetters.filters.instance}</dt>
      <dd>
        {instance} {t.places[place] !== '' && <span className={styles.dim}>{t.places[place]}</span>}{' '}
        <Link href={href('/topology', { select: instance })} className={styles.link}>
          <IconSitemap size={14} aria-hidden /> {t.inTopology}
        </Link>
      </dd>
      <dt>{t.facts.pipeline}</dt>
      <dd>{pipeline}</dd>
      <dt>{t.facts.origin}</dt>
      <dd>{origin}</dd>
      <dt>{t.facts.stored}</dt>
      <dd>
        {exactTime(stored)} · <Ago time={stored} />
      </dd>
      <dt>{t.facts.attempts}</dt>
      <dd>{t.attempts(attempts, retries)}</dd>
      <dt>{t.facts.size}</dt>
      <dd>{bytes(letter.bytes)}</dd>
      <dt>{t.facts.id}</dt>
      <dd className={styles.idFact}>
        <code>{messageId}</code>
        <CopyButton label={t.copyId} text={messageId} />
      </dd>
    </dl>
  );
}

function History({ detail: { history, letter } }: { detail: LetterDetail }) {
  return (
    <section className={styles.block}>
      <h3>{t.history}</h3>
      <ol className={styles.history}>
        {history.map((act, i) => (
          <li key={`${act.time} ${i}`}>
            <span className={styles.dim}>{exactTime(act.time).slice(5, 19)}</span> <Act act={act} />
          </li>
        ))}
        <li>
          <span className={styles.dim}>{exactTime(letter.stored).slice(5, 19)}</span> {t.refusedAt}{' '}
          <code>{letter.code}</code>
        </li>
      </ol>
    </section>
  );
}

function Act({ act }: { act: LetterAct }) {
  if (act.act === 'edited') return t.editedBy(act.by);
  return (
    <>
      {t.retriedBy(act.by, t.to[act.to])}: {t.ended[act.ended]} <code>{act.code}</code> {act.cause}
    </>
  );
}
