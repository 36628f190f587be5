import type { LiveMessage } from '../../protocol/model.ts';
import { connect, type Where } from '../connect.ts';
import { EXIT } from '../exit.ts';
import { print } from '../output.ts';

interface TapOptions extends Where {
  readonly json?: boolean;
  readonly where?: string;
  readonly text?: string;
  readonly rate?: number;
  readonly count?: number;
}

/** Prints messages until `--count` is reached, the gateway goes away, or Ctrl-C. With `--json` one CloudEvent a line: at a handler, what came out of it. */
export async function tap(instance: string, options: TapOptions): Promise<number> {
  const { rate, count = Infinity } = options;
  const client = await connect(options);
  let printed = 0;
  try {
    return await new Promise<number>((resolve, reject) => {
      const done = (): void => resolve(EXIT.ok);
      process.once('SIGINT', done);
      process.once('SIGTERM', done);
      process.stdout.on('error', done);
      client.onState((state) => {
        if (state.name === 'closed') reject(new Error(state.reason.message));
      });
      client.subscribe(
        'live',
        {
          instance,
          full: true,
          ...(options.where === undefined ? {} : { where: options.where }),
          ...(options.text === undefined ? {} : { text: options.text }),
          budget: { ...(rate === undefined ? {} : { rowsPerSecond: rate }), bytesPerSecond: 16 << 20 },
        },
        (item) => {
          if (item.kind !== 'messages') return;
          for (const message of item.messages) {
            for (const line of linesOf(message, options.json === true)) {
              print(line);
              if (++printed >= count) {
                done();
                return;
              }
            }
          }
        },
        { onError: reject },
      );
    });
  } finally {
    client.close();
  }
}

function linesOf({ row, before, after }: LiveMessage, json: boolean): string[] {
  if (json) return (after ?? [before]).map((event) => JSON.stringify(event));
  const time = new Date(row.time).toISOString().slice(11, 23);
  const verdict = row.verdict === undefined ? '' : ` ${row.verdict}`;
  const out = row.after === '' ? '' : ` -> ${row.after}`;
  const reason = row.reason === undefined ? '' : ` (${row.code === undefined ? '' : `${row.code}: `}${row.reason})`;
  return [`${time}${verdict} ${row.summary}${out}${reason}`];
}
