import { createHash, timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { AmqpConnectOptions, AmqpListenOptions } from '../plugin-api/amqp.ts';

/** A mechanism of one login, as rhea's SASL server calls it. */
interface ServerMechanism {
  outcome: boolean | undefined;
  username: string | undefined;
  start(response: Buffer | undefined): void;
}

/** A mechanism of one login, as rhea's SASL client calls it. */
interface ClientMechanism {
  start(done: (error: undefined, response: Buffer) => void): void;
  step(challenge: Buffer, done: (error: undefined, response: Buffer) => void): void;
}

type Factories<Mechanism> = Record<string, () => Mechanism>;

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/**
 * What an endpoint offers to the client on `socket`. Ours rather than rhea's: a refusal is told to
 * `refused` with its reason, passwords are compared in constant time, EXTERNAL looks at the
 * certificate, and an unknown mechanism is refused by name.
 */
export function serverMechanisms(
  options: NonNullable<AmqpListenOptions['sasl']>,
  socket: Socket,
  refused: (why: string) => void,
): object {
  const offered: Factories<ServerMechanism> = Object.create(null) as Factories<ServerMechanism>;
  const login = (start: (response: Buffer | undefined) => string | false): (() => ServerMechanism) => {
    return () => ({
      outcome: undefined,
      username: undefined,
      start(response) {
        const username = start(response);
        this.outcome = username !== false;
        if (username !== false) this.username = username;
      },
    });
  };
  if (options.external === true) {
    offered['EXTERNAL'] = login(() => {
      if (socket instanceof TLSSocket && socket.authorized) {
        const name: unknown = socket.getPeerCertificate().subject?.CN;
        return typeof name === 'string' ? name : 'certificate';
      }
      refused('EXTERNAL without a certificate that our CA signed');
      return false;
    });
  }
  const users = options.plain ?? [];
  if (users.length > 0) {
    const digests = users.map((user) => ({
      username: user.username,
      digest: digest(`${user.username}\0${user.password}`),
    }));
    offered['PLAIN'] = login((response) => {
      const fields = (response ?? Buffer.alloc(0)).toString('utf8').split('\0');
      const given = digest(`${fields[1] ?? ''}\0${fields[2] ?? ''}`);
      let found: string | false = false;
      for (const user of digests) if (timingSafeEqual(user.digest, given) && fields.length === 3) found = user.username;
      if (found === false) refused(`wrong user or password (user ${JSON.stringify((fields[1] ?? '').slice(0, 64))})`);
      return found;
    });
  }
  if (options.anonymous === true) offered['ANONYMOUS'] = login(() => 'anonymous');
  return new Proxy(offered, {
    get(target, name) {
      if (typeof name !== 'string') return undefined;
      const known = target[name];
      if (known !== undefined) return known;
      return login(() => {
        refused(
          `mechanism ${JSON.stringify(name.slice(0, 32))} is not offered; ours: ${Object.keys(target).join(', ')}`,
        );
        return false;
      });
    },
  });
}

function once(response: Buffer): () => ClientMechanism {
  return () => ({
    start: (done) => done(undefined, response),
    step: (_challenge, done) => done(undefined, Buffer.alloc(0)),
  });
}

/** What a client logs in with; undefined: no SASL layer. */
export function clientMechanisms(options: AmqpConnectOptions): object | undefined {
  const username = options.username ?? '';
  const kind = options.sasl ?? (username !== '' ? 'plain' : options.tls?.cert !== undefined ? 'external' : 'anonymous');
  const mechanisms = Object.create(null) as Factories<ClientMechanism>;
  switch (kind) {
    case 'none':
      return undefined;
    case 'plain':
      mechanisms['PLAIN'] = once(Buffer.from(`\0${username}\0${options.password ?? ''}`, 'utf8'));
      break;
    case 'external':
      mechanisms['EXTERNAL'] = once(Buffer.alloc(0));
      break;
    case 'anonymous':
      mechanisms['ANONYMOUS'] = once(Buffer.from(username === '' ? 'anonymous' : username, 'utf8'));
  }
  return mechanisms;
}
