import { ActionIcon, Tabs, Tooltip } from '@mantine/core';
import { IconLayoutColumns, IconLayoutRows, IconX } from '@tabler/icons-react';
import type { KeyboardEvent, PointerEvent } from 'react';
import type { LiveMessage, LiveRow, TopologyNode } from '../../../gateway-core/protocol/model.ts';
import { bytes, clock, exactTime, micros } from '../../app/format.ts';
import { useCall } from '../../app/gateway.ts';
import { usePreferences } from '../../app/preferences.ts';
import { texts } from '../../app/texts.ts';
import { CopyButton } from '../../components/copy-button.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Json, printJson } from '../../components/json.tsx';
import { Loading } from '../../components/loading.tsx';
import { Verdict } from '../../components/verdict.tsx';
import { readable } from '../../live/readable.ts';
import type { RowEntry } from '../../live/ring.ts';
import type { LiveTap } from '../../live/tap.ts';
import { BeforeAfter } from './before-after.tsx';
import styles from './detail.module.css';

const t = texts.live.detail;
const MIN_WIDTH = 320;
const MAX_WIDTH = 900;
const KEY_STEP = 24;

/** The edge between list and message: dragged, or moved with the arrow keys. */
function Resizer() {
  const { detailWidth, setDetailWidth } = usePreferences();
  const resize = (width: number): void => setDetailWidth(Math.round(Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, width))));
  const onPointerDown = (event: PointerEvent<HTMLDivElement>): void => {
    event.preventDefault();
    const startX = event.clientX;
    const target = event.currentTarget;
    target.setPointerCapture(event.pointerId);
    target.onpointermove = (move) => resize(detailWidth + startX - move.clientX);
    target.onpointerup = () => {
      target.onpointermove = null;
    };
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowLeft') resize(detailWidth + KEY_STEP);
    else if (event.key === 'ArrowRight') resize(detailWidth - KEY_STEP);
    else return;
    event.preventDefault();
  };
  return (
    <div
      role="separator"
      aria-orientation="vertical"
      aria-label={t.resize}
      aria-valuenow={detailWidth}
      aria-valuemin={MIN_WIDTH}
      aria-valuemax={MAX_WIDTH}
      tabIndex={0}
      className={styles.resizer}
      onPointerDown={onPointerDown}
      onKeyDown={onKeyDown}
    />
  );
}

function explain(row: LiveRow): string {
  if (row.verdict === undefined) return '';
  return row.verdict === 'split' ? t.split(row.parts ?? 0) : t[row.verdict];
}

function VerdictLine({ row }: { row: LiveRow }) {
  if (row.verdict === undefined) return null;
  const why = [row.code, row.reason].filter((part) => part !== undefined && part !== '');
  return (
    <div className={styles.verdict} data-verdict={row.verdict}>
      <p>
        <Verdict verdict={row.verdict} word /> <span className={styles.dim}>{explain(row)}</span>
      </p>
      {why.length > 0 && (
        <p>
          {row.code !== undefined && row.code !== '' && <code>{row.code}</code>} {row.reason}
        </p>
      )}
    </div>
  );
}

function Content({ message, handler }: { message: LiveMessage; handler: boolean }) {
  const { detailStacked, setDetailStacked, detailWidth } = usePreferences();
  const { before, after = [], attributes } = message;
  const sideBySide = !detailStacked && detailWidth >= 620;
  const layout = sideBySide ? t.stacked : t.sideBySide;
  const hasAttributes = Object.keys(attributes).length > 0;
  const body = readable(before);
  return (
    <Tabs defaultValue="message" keepMounted={false} className={styles.tabs ?? ''}>
      <Tabs.List>
        <Tabs.Tab value="message">{handler ? t.beforeAfter : t.message}</Tabs.Tab>
        <Tabs.Tab value="raw">{t.raw}</Tabs.Tab>
        <Tabs.Tab value="attributes">{t.attributes}</Tabs.Tab>
        {handler && detailWidth >= 620 && (
          <Tooltip label={layout}>
            <ActionIcon
              className={styles.layout ?? ''}
              variant="subtle"
              color="gray"
              size="sm"
              aria-label={layout}
              onClick={() => setDetailStacked(sideBySide)}
            >
              {sideBySide ? <IconLayoutRows size={15} /> : <IconLayoutColumns size={15} />}
            </ActionIcon>
          </Tooltip>
        )}
      </Tabs.List>
      <Tabs.Panel value="message" className={styles.panel ?? ''}>
        {handler ? (
          <BeforeAfter message={message} sideBySide={sideBySide} />
        ) : (
          <>
            <div className={styles.blockHead}>
              <h3>{t.body}</h3>
              <span>
                {[before.kind, body.decoded ? t.decoded : '', bytes(message.row.bytes)]
                  .filter((part) => part !== '')
                  .join(' · ')}
              </span>
              <CopyButton
                label={t.copyBody}
                text={() => (typeof body.data === 'string' ? body.data : printJson(body.data))}
              />
            </div>
            <Json label={t.body} value={body.data} />
            <div className={styles.blockHead}>
              <h3>{t.context}</h3>
            </div>
            <Json label={t.context} value={body.context} />
          </>
        )}
      </Tabs.Panel>
      <Tabs.Panel value="raw" className={styles.panel ?? ''}>
        <div className={styles.blockHead}>
          <h3>{handler ? t.before : 'CloudEvent'}</h3>
          <span />
          <CopyButton label={t.copyRaw} text={() => printJson(before)} />
        </div>
        <Json label="CloudEvent" value={before} />
        {after.map((event, i) => (
          <div key={i}>
            <div className={styles.blockHead}>
              <h3>{after.length === 1 ? t.after : t.part(i + 1, after.length)}</h3>
              <span />
              <CopyButton label={t.copyRaw} text={() => printJson(event)} />
            </div>
            <Json label={t.part(i + 1, after.length)} value={event} />
          </div>
        ))}
      </Tabs.Panel>
      <Tabs.Panel value="attributes" className={styles.panel ?? ''}>
        {hasAttributes ? (
          <>
            <div className={styles.blockHead}>
              <h3>{t.attributes}</h3>
              <span />
              <CopyButton label={t.copyAttributes} text={() => printJson(attributes)} />
            </div>
            <Json label={t.attributes} value={attributes} />
          </>
        ) : (
          <p className={styles.dim}>{t.noAttributes}</p>
        )}
      </Tabs.Panel>
    </Tabs>
  );
}

/** One message whole: what a handler made of it and why, as it is on the wire, what the transport knew. */
export function Detail({
  entry,
  tap,
  node,
  close,
}: {
  entry: RowEntry;
  tap: LiveTap;
  node: TopologyNode;
  close: () => void;
}) {
  const { row } = entry;
  const width = usePreferences((state) => state.detailWidth);
  const { value, error, loading, reload } = useCall('live.message', { tap: entry.tap, seq: row.seq });
  // A tap of the same name after a restart of the engine may have another message under this number.
  const message = value !== undefined && value.row.id === row.id ? value : undefined;
  const formerTap = entry.tap !== tap.tapName || (value !== undefined && message === undefined);
  return (
    <>
      <Resizer />
      <aside
        id="message"
        tabIndex={-1}
        className={styles.detail}
        style={{ width }}
        aria-label={t.title(row.instance)}
        onKeyDown={(event) => {
          if (event.key === 'Escape' && !event.defaultPrevented) close();
        }}
      >
        <header>
          <h2>
            {row.verdict !== undefined && <Verdict verdict={row.verdict} />} {t.title(row.instance)}
          </h2>
          <Tooltip label={t.close}>
            <ActionIcon variant="subtle" color="gray" aria-label={t.close} onClick={close}>
              <IconX size={16} />
            </ActionIcon>
          </Tooltip>
          <p>
            <span title={exactTime(row.time)}>{clock(row.time)}</span> · {t.from(row.origin)} · {bytes(row.bytes)}
            {row.micros !== undefined && ` · ${micros(row.micros)}`}
          </p>
          <p className={styles.id}>
            <code>{row.type}</code>
            <code>{row.id}</code>
            <CopyButton label={t.copyId} text={row.id} />
          </p>
          <VerdictLine row={row} />
        </header>
        {message !== undefined ? (
          <Content message={message} handler={node.kind === 'handler'} />
        ) : error !== undefined || formerTap ? (
          <div className={styles.gone}>
            <h3>{t.gone}</h3>
            <p>{t.goneText}</p>
            <pre>
              {row.summary}
              {row.after === '' ? '' : `\n→ ${row.after}`}
            </pre>
            {error !== undefined && <ErrorPanel compact error={error} retry={reload} />}
          </div>
        ) : loading ? (
          <Loading />
        ) : (
          <p className={styles.gone}>{t.rowOnly}</p>
        )}
      </aside>
    </>
  );
}
