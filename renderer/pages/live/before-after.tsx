import { useMemo } from 'react';
import type { CloudEventJson, LiveMessage } from '../../../gateway-core/protocol/model.ts';
import { bytes } from '../../app/format.ts';
import { texts } from '../../app/texts.ts';
import { CopyButton } from '../../components/copy-button.tsx';
import { colourLine, printJson } from '../../components/json.tsx';
import { diff, type DiffLine, type Mark } from '../../live/diff.ts';
import { readable } from '../../live/readable.ts';
import styles from './detail.module.css';

const t = texts.live.detail;
/** Parts of a split that are drawn; all of them are in Raw. */
const MOST_PARTS = 20;

const SIGNS: Readonly<Record<Mark, string>> = { same: ' ', removed: '−', added: '+', changed: '~' };
const WORDS: Readonly<Record<Mark, string>> = { same: '', removed: t.removed, added: t.added, changed: t.changed };

function Lines({ lines, label }: { lines: readonly DiffLine[]; label: string }) {
  return (
    <div className={styles.lines} role="group" aria-label={label} tabIndex={0}>
      {lines.map((line, i) => (
        <div key={i} data-mark={line.mark} className={styles.line}>
          <span aria-hidden className={styles.sign}>
            {SIGNS[line.mark]}
          </span>
          {line.mark !== 'same' && <span className="visually-hidden">{WORDS[line.mark]}: </span>}
          <span style={{ paddingLeft: `${line.depth * 1.2}em` }}>
            {line.mark === 'same' ? colourLine(line.text) : line.text}
          </span>
        </div>
      ))}
    </div>
  );
}

function Block({
  title,
  note,
  event,
  lines,
  copy,
}: {
  title: string;
  note: string;
  event: CloudEventJson;
  lines: readonly DiffLine[];
  copy: string;
}) {
  return (
    <section className={styles.block}>
      <div className={styles.blockHead}>
        <h3>{title}</h3>
        <span>{note}</span>
        <CopyButton label={copy} text={() => printJson(readable(event).data)} />
      </div>
      <Lines lines={lines} label={title} />
    </section>
  );
}

/** The body, and of what describes the message only what differs: the rest is in Raw. */
function comparable(event: CloudEventJson, others: readonly CloudEventJson[]): Readonly<Record<string, unknown>> {
  const { data, context } = readable(event);
  const contexts = others.map((other) => readable(other).context);
  const differs = Object.entries(context).filter(([key, value]) =>
    contexts.some((other) => JSON.stringify(other[key]) !== JSON.stringify(value)),
  );
  return { ...Object.fromEntries(differs), data };
}

/** What came into the handler and what left it, changed fields marked by sign and colour. */
export function BeforeAfter({ message, sideBySide }: { message: LiveMessage; sideBySide: boolean }) {
  const { before, row } = message;
  const outs = useMemo(() => message.after ?? [], [message.after]);
  const pairs = useMemo(
    () =>
      outs
        .slice(0, MOST_PARTS)
        .map((event) => ({ event, ...diff(comparable(before, [event]), comparable(event, [before])) })),
    [before, outs],
  );
  const alone = useMemo(() => diff(comparable(before, outs), comparable(before, outs)).before, [before, outs]);
  const only = pairs.length === 1 ? pairs[0] : undefined;
  const note = [before.kind, readable(before).decoded ? t.decoded : '', bytes(row.bytes)]
    .filter((part) => part !== '')
    .join(' · ');
  return (
    <div className={sideBySide && only !== undefined ? styles.side : undefined}>
      <Block title={t.before} note={note} event={before} lines={only?.before ?? alone} copy={t.copyBefore} />
      {pairs.length === 0 && (
        <section className={styles.block}>
          <div className={styles.blockHead}>
            <h3>{t.after}</h3>
          </div>
          <p className={styles.dim}>{t.nothing}</p>
        </section>
      )}
      {pairs.map(({ event, after, changed }, i) => (
        <Block
          key={i}
          title={pairs.length === 1 ? t.after : t.part(i + 1, outs.length)}
          note={`${event.kind} · ${changed === 0 ? texts.common.verdicts.unchanged : texts.common.verdicts.modified}`}
          event={event}
          lines={after}
          copy={t.copyAfter}
        />
      ))}
      {outs.length > MOST_PARTS && <p className={styles.dim}>{t.more(outs.length - MOST_PARTS)}</p>}
    </div>
  );
}
