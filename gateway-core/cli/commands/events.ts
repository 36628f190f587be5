import type { GatewayEvent } from '../../protocol/model.ts';
import { connect, withGateway, type Where } from '../connect.ts';
import { EXIT } from '../exit.ts';
import { print, printJson } from '../output.ts';

export async function list(
  options: Where & { readonly json?: boolean; readonly severity?: string; readonly limit?: number },
): Promise<number> {
  const { events } = await withGateway(options, (client) =>
    client.call('events.list', {
      limit: options.limit ?? 50,
      ...(options.severity === undefined ? {} : { severity: options.severity }),
    }),
  );
  if (options.json === true) printJson({ events });
  else for (const event of events) print(lineOf(event));
  return EXIT.ok;
}

/** Until Ctrl-C or the gateway goes away. */
export async function follow(options: Where & { readonly json?: boolean }): Promise<number> {
  const client = await connect(options);
  try {
    return await new Promise<number>((resolve, reject) => {
      process.once('SIGINT', () => resolve(EXIT.ok));
      process.once('SIGTERM', () => resolve(EXIT.ok));
      client.onState((state) => {
        if (state.name === 'closed') reject(new Error(state.reason.message));
      });
      client.subscribe('events', {}, (event) => print(options.json === true ? JSON.stringify(event) : lineOf(event)), {
        onError: reject,
      });
    });
  } finally {
    client.close();
  }
}

function lineOf(event: GatewayEvent): string {
  return `${new Date(event.time).toISOString()} ${event.severity.padEnd(8)} ${event.source.padEnd(8)} ${event.message}${event.code === '' ? '' : ` [${event.code}]`}`;
}
