import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { Listen } from './ports.ts';

/** Undefined when the address can be listened on now, else why not. Binds it for a moment. */
export function probePort(listen: Pick<Listen, 'protocol' | 'host' | 'port'>): Promise<string | undefined> {
  const { protocol, host, port } = listen;
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException): void => resolve(reason(error));
    if (protocol === 'udp') {
      const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
      socket.once('error', failed);
      socket.bind({ port, address: host, exclusive: true }, () => socket.close(() => resolve(undefined)));
      return;
    }
    const server = createServer();
    server.once('error', failed);
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

function reason(error: NodeJS.ErrnoException): string {
  const words: Record<string, string> = {
    EADDRINUSE: 'something listens there already',
    EADDRNOTAVAIL: 'this machine does not have that address',
    EACCES: 'the gateway may not listen on that port',
    ENOTFOUND: 'the host name is not known',
    EAI_AGAIN: 'the host name cannot be looked up now',
  };
  return words[error.code ?? ''] ?? `it failed with ${error.code ?? 'an unknown error'}`;
}
