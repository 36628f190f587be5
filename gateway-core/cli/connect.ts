import { connectWebSocket } from '../control/ws-client.ts';
import { defaultDataFolder, holder, readControlToken } from '../engine/data-folder.ts';
import { CodedError } from '../engine/error.ts';
import { createClient, type Client } from '../protocol/client.ts';

/** How a command says which gateway it means. */
export interface Where {
  readonly data?: string;
  /** HOST:PORT; else the one that holds the data folder. */
  readonly control?: string;
  readonly token?: string;
}

/** Connects to the running gateway. Rejects with PB_NOT_RUNNING, PB_BAD_TOKEN and the like. */
export async function connect(where: Where): Promise<Client> {
  const folder = where.data ?? defaultDataFolder();
  let address = where.control;
  if (address === undefined) {
    const held = await holder(folder);
    if (held === undefined) throw new CodedError('PB_NOT_RUNNING', { data: folder });
    if (held.control === '') throw new CodedError('PB_NO_CONTROL', { pid: held.pid });
    address = held.control.replace(/^https?:\/\//, '');
  }
  const token = where.token ?? (await readControlToken(folder));
  if (token === undefined) throw new CodedError('PB_TOKEN_UNREADABLE', { data: folder });
  const client = createClient(connectWebSocket({ ...parseAddress(address), token }), {
    client: 'cli',
    reconnect: false,
  });
  await client.opened();
  return client;
}

/** `HOST:PORT`, `[V6]:PORT` or `PORT`. Throws PB_BAD_ADDRESS. */
export function parseAddress(text: string): { host: string; port: number } {
  const match = /^(?:(?:\[([^\]]+)\]|([^:[\]]*)):)?(\d{1,5})$/.exec(text.trim());
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) throw new CodedError('PB_BAD_ADDRESS', { address: text });
  const host = match[1] ?? match[2] ?? '';
  return { host: host === '' ? '127.0.0.1' : host, port };
}

/** Runs `act` with a connection and ends it. */
export async function withGateway<T>(where: Where, act: (client: Client) => Promise<T>): Promise<T> {
  const client = await connect(where);
  try {
    return await act(client);
  } finally {
    client.close();
  }
}
