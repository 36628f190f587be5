/** Saves letters as a file, one CloudEvent a line. */
import type { Client } from '../../../gateway-core/protocol/client.ts';
import type { LetterSelection } from '../../../gateway-core/protocol/dead-letters.ts';

/** Resolves when the file was handed to the browser; `onProgress` hears how many are in it so far. */
export async function exportLetters(
  client: Client,
  selection: LetterSelection,
  file: string,
  onProgress: (events: number) => void,
): Promise<{ readonly events: number; readonly unreadable: number }> {
  // Blobs of lines, not one string: the browser may put them on disk.
  const parts: Blob[] = [];
  let events = 0;
  let unreadable = 0;
  await new Promise<void>((resolve, reject) => {
    const subscription = client.subscribe(
      'deadletters.export',
      { selection },
      (item) => {
        parts.push(new Blob(item.events.map((event) => `${JSON.stringify(event)}\n`)));
        events += item.events.length;
        unreadable += item.unreadable.length;
        onProgress(events);
      },
      {
        credit: 4,
        onError: reject,
        onState: (state) => {
          if (state.name === 'ended') resolve();
          else if (state.name === 'waiting') {
            // After a reconnect it would begin anew, and the file have letters twice.
            subscription.close();
            reject(new Error(state.reason.message));
          }
        },
      },
    );
  });
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob(parts, { type: 'application/jsonl' }));
  link.download = file;
  link.click();
  URL.revokeObjectURL(link.href);
  return { events, unreadable };
}
