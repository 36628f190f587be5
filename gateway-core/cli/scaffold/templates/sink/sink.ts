import { open, type FileHandle } from 'node:fs/promises';
import {
  ConfigError,
  defineSink,
  NotConnectedError,
  toCloudEvent,
  type Message,
  type WriteException,
} from 'patchbay/plugin-api';

/** As sink.schema.json says; the gateway has checked it. */
export interface Config {
  readonly path: string;
}

/** The lines of a batch, and the messages that have no line. */
function linesOf(batch: readonly Message[]): { readonly text: string; readonly exceptions: WriteException[] } {
  const exceptions: WriteException[] = [];
  let text = '';
  for (const [index, message] of batch.entries()) {
    try {
      text += `${JSON.stringify(toCloudEvent(message))}\n`;
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      // This message alone becomes a dead letter.
      exceptions.push({ index, kind: 'refuse', code: 'EXAMPLE_PLUGIN_NO_JSON', cause });
    }
  }
  return { text, exceptions };
}

export default defineSink<Config>({
  custody: 'durable',
  create({ config: { path } }) {
    let file: FileHandle | undefined;
    return {
      async open() {
        try {
          file = await open(path, 'a');
        } catch (error) {
          throw new ConfigError('EXAMPLE_PLUGIN_FILE', 'path', `${path} can't be opened`, 'Correct `path`.', {
            cause: error,
          });
        }
      },
      async write(batch) {
        const { text, exceptions } = linesOf(batch);
        try {
          if (file === undefined) throw new Error('it is not open');
          await file.appendFile(text);
          // Custody is durable: done means on disk.
          await file.datasync();
        } catch (error) {
          // Nothing of the batch counts as done: the host opens the file anew, and writes the batch again.
          throw new NotConnectedError(`${path} can't be written`, { cause: error });
        }
        return exceptions;
      },
      async close() {
        const closing = file;
        file = undefined;
        await closing?.close();
      },
    };
  },
});
