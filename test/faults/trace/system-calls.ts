/** What `strace -f -yy -x` wrote, as calls with a beginning and an end. */

export interface SystemCall {
  readonly name: string;
  readonly thread: number;
  /** What the first argument leads to: a path, or `TCP:[…]`; empty when it is no descriptor. */
  readonly target: string;
  /** What was read or written: all strings among the arguments, one after the other. */
  readonly data: Buffer;
  /** Return value; negative when it failed. */
  readonly result: number;
  /** Lines of the trace: a call that another thread's came between has two. */
  readonly begin: number;
  readonly end: number;
}

const LINE = /^(?:\[pid\s+)?(\d+)\]?\s+(.*)$/;
const RESUMED = /^<\.\.\. (\w+) resumed>(.*)$/s;
const UNFINISHED = / <unfinished \.\.\.>$/;
const CALL = /^(\w+)\((.*)\)\s+= (-?\d+|\?)/s;

/** Calls in the order in which they ended. Signals, exits and calls cut off by the end of the trace are left out. */
export function* readCalls(lines: Iterable<string>): Generator<SystemCall> {
  const begun = new Map<number, { text: string; line: number }>();
  let number = 0;
  for (const line of lines) {
    number++;
    const [, pid, text] = LINE.exec(line) ?? [];
    if (pid === undefined || text === undefined) continue;
    const thread = Number(pid);
    if (UNFINISHED.test(text)) {
      begun.set(thread, { text: text.replace(UNFINISHED, ''), line: number });
      continue;
    }
    const resumed = RESUMED.exec(text);
    const first = resumed === null ? undefined : begun.get(thread);
    if (resumed !== null) {
      begun.delete(thread);
      if (first === undefined) continue;
    }
    const call = CALL.exec(first === undefined ? text : first.text + (resumed?.[2] ?? ''));
    if (call === null) continue;
    const [, name = '', args = '', result = ''] = call;
    yield {
      name,
      thread,
      target: targetOf(args),
      data: stringsOf(args),
      result: result === '?' ? -1 : Number(result),
      begin: first?.line ?? number,
      end: number,
    };
  }
}

function targetOf(args: string): string {
  return /^\d+<((?:TCP|TCPv6|UNIX[-\w]*):\[.*?\](?=>)|[^>]*)>/.exec(args)?.[1] ?? '';
}

const ESCAPES: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, v: 11, f: 12, '"': 34, '\\': 92 };

function stringsOf(args: string): Buffer {
  const bytes: number[] = [];
  for (const [, text = ''] of args.matchAll(/"((?:[^"\\]|\\.)*)"/gs)) {
    for (let i = 0; i < text.length; i++) {
      if (text[i] !== '\\') {
        bytes.push(text.charCodeAt(i));
        continue;
      }
      const next = text[++i] ?? '';
      const octal = /^[0-7]{1,3}/.exec(text.slice(i, i + 3))?.[0];
      if (next === 'x') {
        bytes.push(Number.parseInt(text.slice(i + 1, i + 3), 16));
        i += 2;
      } else if (octal !== undefined) {
        bytes.push(Number.parseInt(octal, 8));
        i += octal.length - 1;
      } else bytes.push(ESCAPES[next] ?? next.charCodeAt(0));
    }
  }
  return Buffer.from(bytes);
}
