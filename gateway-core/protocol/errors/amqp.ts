import type { ErrorEntry } from './index.ts';

export const amqpErrors = {
  PB_AMQP_NOT_AMQP: {
    template: '{peer} does not speak AMQP 1.0; it began with {start}',
    cause: 'Some other program called this port: a browser, a health check, a scanner.',
    remedy: 'Point that program elsewhere. This port speaks AMQP 1.0 only.',
  },
  PB_AMQP_VERSION: {
    template: '{peer} speaks {version}, not AMQP 1.0',
    cause:
      'The client library is one for AMQP 0-9-1 or 0-10, another protocol of the same name, or expects TLS or SASL settings that differ.',
    remedy:
      'Use a client for AMQP 1.0 (Qpid Proton, rhea, the collectd plugin amqp1), and compare its TLS and SASL settings with ours.',
  },
  PB_AMQP_BAD_FRAME: {
    template: '{peer} sent a malformed frame: {what}',
    cause: 'The client has a fault, or something on the way damaged the stream.',
    remedy: 'Its connection was closed and it may connect again. If it keeps happening, update or report the client.',
  },
  PB_AMQP_FRAME_TOO_LARGE: {
    template: '{peer} announced a frame of {size} bytes; the limit is {limit}',
    cause: 'The client ignores the frame size we announced, or sends garbage.',
    remedy: 'Its connection was closed. Raise maxFrameSize only for a client that cannot split messages into frames.',
  },
  PB_AMQP_MESSAGE_TOO_LARGE: {
    template: '{peer} sent a message of more than {limit} bytes',
    cause: 'One message, over all its frames, is larger than allowed.',
    remedy: 'Its connection was closed. Raise maxMessageSize if such messages are meant to be.',
  },
  PB_AMQP_HANDSHAKE_TIMEOUT: {
    template: '{peer} did not finish connecting within {seconds} s',
    cause: 'A client that stalls on TLS, SASL or open, or a program that only holds the port.',
    remedy: 'See what runs at that address. The connection was closed.',
  },
  PB_AMQP_TOO_MANY_CONNECTIONS: {
    template: '{peer} was turned away: {limit} connections are open',
    cause: 'More clients than allowed, or one that leaves its connections open.',
    remedy: 'Find the client that holds many of them, or raise maxConnections.',
  },
  PB_AMQP_TOO_MANY_LINKS: {
    template: '{peer} opened more than {limit} links or sessions',
    cause: 'A client that attaches a new link for each message, or a hostile one.',
    remedy: 'Its connection was closed. Let the client keep one link and use it again.',
  },
  PB_AMQP_CREDIT_IGNORED: {
    template: '{peer} sent a message without credit',
    cause: 'The client does not heed flow control.',
    remedy: 'Its connection was closed; the message was not taken. Update or report the client.',
  },
  PB_AMQP_PEER_NOT_READING: {
    template: '{peer} does not read: {bytes} bytes wait for it',
    cause: 'The client hangs, or is stopped in a debugger.',
    remedy: 'Its connection was closed; what it had not been told of, it delivers again.',
  },
  PB_AMQP_SASL_REFUSED: {
    template: '{peer} could not log in: {why}',
    cause: 'Wrong user or password, or a SASL mechanism that is not offered here.',
    remedy: 'Compare the user, password and mechanism of the client with the sasl settings of this endpoint.',
  },
  PB_AMQP_SASL_NONE: {
    template: 'No way to log in is allowed, so no client could ever connect',
    cause: 'The sasl settings turn anonymous off and name neither users nor client certificates.',
    remedy: 'Allow anonymous, list a user, or turn external on with a CA for client certificates.',
  },
  PB_AMQP_LINK_REFUSED: {
    template: '{peer} asked for {address}: {why}',
    cause: 'The client uses an address that this endpoint does not serve, or wants to receive from it.',
    remedy: 'Correct the address at the client, or add it to addresses.',
  },
  PB_AMQP_PEER_ERROR: {
    template: '{peer} reports {condition}: {description}',
    cause: 'The peer closed the connection or link with an error of its own.',
    remedy: 'Look the condition up in the log of the peer.',
  },
  PB_AMQP_LISTEN: {
    template: 'Cannot listen on {host}:{port}: {why}',
    cause: 'The port is taken by another program, or may not be used by this one.',
    remedy: 'Choose another port, or stop what holds it (`ss -ltnp` names it).',
  },
  PB_AMQP_TLS: {
    template: 'The TLS settings do not work: {why}',
    cause: 'Certificate, key or CA is not PEM, they do not fit each other, or a needed one is missing.',
    remedy: 'Check the files with `openssl x509 -in FILE -noout -text` and `openssl pkey -in FILE -noout`.',
  },
  PB_AMQP_URL: {
    template: '{url} is no AMQP address: {why}',
    cause: 'The url must be amqp://HOST[:PORT] or amqps://HOST[:PORT], without a path.',
    remedy: 'Correct the url. User and password have their own fields.',
  },
  PB_AMQP_UNREACHABLE: {
    template: 'No connection to {url}: {why}',
    cause: 'The broker is down, the name or port is wrong, or a firewall is between.',
    remedy: 'Check that the broker runs and listens there. It is tried again by itself.',
  },
  PB_AMQP_LOGIN: {
    template: '{url} refused the login: {why}',
    cause: 'Wrong user or password, or a SASL mechanism that the broker does not offer.',
    remedy: 'Correct username, password or sasl, or give the user its rights at the broker.',
  },
  PB_AMQP_ATTACH: {
    template: '{url} refused the address {address}: {why}',
    cause: 'The queue or topic does not exist there, or the user may not use it.',
    remedy: 'Create it at the broker or correct the address (RabbitMQ 3: /queue/NAME, RabbitMQ 4: /queues/NAME).',
  },
  PB_AMQP_CONNECTION_LOST: {
    template: 'The connection to {url} was lost: {why}',
    cause: 'The broker stopped or the network failed.',
    remedy: 'It is made again by itself. What was in flight is sent again, so the peer may have some messages twice.',
  },
  PB_AMQP_SEND_TIMEOUT: {
    template: '{url} gave no answer to a message within {seconds} s',
    cause: 'The broker is overloaded, blocked (disk or memory alarm) or gives no credit.',
    remedy: 'See the alarms of the broker. The message is sent again, so the peer may have it twice.',
  },
  PB_AMQP_NOT_TAKEN: {
    template: '{url} gave the message back ({outcome})',
    cause: 'The broker can not take the message now: queue full, no route yet, shutting down.',
    remedy: 'It is sent again by itself. Look at the queue if it lasts.',
  },
  PB_AMQP_REJECTED: {
    template: '{url} rejected the message: {condition} {description}',
    cause: 'The broker will never take this message.',
    remedy: 'The condition says why. Correct address or message and retry the dead letter.',
  },
} as const satisfies Record<string, ErrorEntry>;
