import { open } from 'node:fs/promises';
import { ConfigError, defineSource, isTaken, type Emit, type Outcomes } from 'patchbay/plugin-api';

/** As source.schema.json says; the gateway has checked it and filled in the defaults. */
export interface Config {
  readonly path: string;
  readonly interval: number;
}

interface Line {
  readonly text: string;
  /** Bytes of the file before it, and with it. */
  readonly start: number;
  readonly end: number;
}

/** At most this much is read at once; a line that is longer comes in parts. */
const MAX_BYTES = 1024 * 1024;
const RETRY_MS = 1000;

/** The whole lines behind `offset`; from the beginning when the file has become shorter, as after a rotation. */
async function linesOf(path: string, offset: number): Promise<Line[]> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const start = size < offset ? 0 : offset;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(size - start, MAX_BYTES)), { position: start });
    const lines: Line[] = [];
    let from = 0;
    for (let at = buffer.indexOf(10, from); at !== -1 && at < bytesRead; at = buffer.indexOf(10, from)) {
      lines.push({ text: buffer.toString('utf8', from, at), start: start + from, end: start + at + 1 });
      from = at + 1;
    }
    if (lines.length === 0 && bytesRead === MAX_BYTES)
      lines.push({ text: buffer.toString('utf8'), start, end: start + bytesRead });
    return lines;
  } finally {
    await file.close();
  }
}

export default defineSource<Config>({
  create(context) {
    const { path, interval } = context.config;
    let stopped = false;
    let running: Promise<void> = Promise.resolve();
    let wake: () => void = () => undefined;
    /** Up to where everything was taken. */
    let offset = 0;

    /** Resolves with `work`, or as soon as the source is to stop. */
    const unlessStopped = (work: Promise<unknown>): Promise<void> =>
      new Promise((resolve) => {
        wake = resolve;
        work.then(
          () => resolve(),
          () => resolve(),
        );
      });

    const pause = async (ms: number): Promise<void> => {
      let timer: NodeJS.Timeout | undefined;
      await unlessStopped(new Promise((resolve) => (timer = setTimeout(resolve, ms))));
      clearTimeout(timer);
    };

    /** Moves on behind what was taken; the rest is emitted again. True when all was taken. */
    const settle = async (lines: readonly Line[], { exceptions }: Outcomes): Promise<boolean> => {
      const again = exceptions.find(({ outcome }) => !isTaken(outcome));
      const last = lines.at(-1);
      offset = again === undefined ? (last?.end ?? offset) : (lines[again.index]?.start ?? offset);
      await context.state.set('offset', offset);
      return again === undefined;
    };

    const run = async (emit: Emit): Promise<void> => {
      while (!stopped) {
        const lines = await linesOf(path, offset);
        if (stopped) return;
        if (lines.length === 0) {
          await pause(interval);
          continue;
        }
        const { admitted, outcomes } = emit(
          // The position is the line's identity: emitted again, it is the same message.
          lines.map(({ text, start }) => context.message({ id: `${path}:${start}`, data: text, attributes: { path } })),
        );
        let taken = false;
        const settled = outcomes.then(async (all) => {
          taken = await settle(lines, all);
        });
        // `admitted` is the back-pressure: no room, no further emit.
        await unlessStopped(Promise.all([admitted, settled]));
        if (!taken && !stopped) await pause(RETRY_MS);
      }
    };

    return {
      async start(emit) {
        const saved = await context.state.get('offset');
        if (typeof saved === 'number') offset = saved;
        try {
          await linesOf(path, offset);
        } catch (error) {
          throw new ConfigError('EXAMPLE_PLUGIN_FILE', 'path', `${path} can't be read`, 'Correct `path`.', {
            cause: error,
          });
        }
        // What goes wrong from here on is told to the host, which restarts the source with back-off.
        running = run(emit).catch((error: unknown) => context.fail(error));
      },
      async stop() {
        stopped = true;
        wake();
        await running;
      },
      close() {
        // The file is open only while it is read.
      },
    };
  },
});
