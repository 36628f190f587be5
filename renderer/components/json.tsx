/** JSON as coloured text. Everything goes in as text nodes: payloads are never markup. */
import { Fragment, type ReactNode } from 'react';
import styles from './json.module.css';

const MAX_NODES = 5_000;

const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/g;

/** Splits one line of printed JSON into coloured pieces. */
export function colourLine(line: string): ReactNode {
  const pieces: ReactNode[] = [];
  let from = 0;
  for (const match of line.matchAll(TOKEN)) {
    const [whole, string, colon, word, number] = match;
    if (match.index > from) pieces.push(line.slice(from, match.index));
    const kind =
      string !== undefined
        ? colon !== undefined
          ? styles.key
          : styles.string
        : word !== undefined
          ? styles.word
          : number !== undefined
            ? styles.number
            : undefined;
    pieces.push(
      <span key={match.index} className={kind}>
        {string ?? whole}
      </span>,
    );
    if (colon !== undefined) pieces.push(colon);
    from = match.index + whole.length;
  }
  if (from < line.length) pieces.push(line.slice(from));
  return pieces.map((piece, i) => <Fragment key={i}>{piece}</Fragment>);
}

/** Pretty JSON; `NaN` and what JSON cannot say appear as null, as they would on the wire. */
export function printJson(value: unknown): string {
  return JSON.stringify(value, null, 2) ?? 'null';
}

/** `label` names the block for screen readers. It scrolls by itself and can be focused to do so. */
export function Json({ value, label }: { value: unknown; label: string }) {
  const lines = printJson(value).split('\n');
  const shown = lines.length > MAX_NODES ? lines.slice(0, MAX_NODES) : lines;
  return (
    <pre className={styles.json} tabIndex={0} role="group" aria-label={label}>
      {shown.map((line, i) => (
        <Fragment key={i}>
          {colourLine(line)}
          {'\n'}
        </Fragment>
      ))}
      {lines.length > shown.length && `… ${lines.length - shown.length} more lines: copy to see all`}
    </pre>
  );
}
