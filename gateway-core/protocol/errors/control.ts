import type { ErrorEntry } from './index.ts';

export const controlErrors = {
  PB_READ_ONLY: {
    template: '{method} changes something and this access is read-only',
    cause: 'The token used may only read.',
    remedy: 'Use the control token instead of a read-only one.',
  },
  PB_INTERNAL: {
    template: 'Unexpected: {message}',
    cause: 'A fault of the gateway itself.',
    remedy: 'Report it with the log of that time.',
  },

  // Protocol
  PB_PROTOCOL_VERSION: {
    template: 'The client ({client}) speaks protocol {theirs}, this gateway ({engine}) speaks {ours}',
    cause: 'Panel or command line and the running gateway are of different releases.',
    remedy: 'Update the older of the two; a panel in the browser only needs its page reloaded.',
  },
  PB_BAD_FRAME: {
    template: 'Not a frame of the control protocol: {what}',
    cause: 'The client sent something the protocol does not know, or out of turn.',
    remedy: 'If this is not your own client, report it with the log of that time.',
  },
  PB_FRAME_TOO_LARGE: {
    template: 'A frame of {size} characters; at most {limit} are taken',
    cause: 'The client sent more in one call than the gateway is willing to hold.',
    remedy: 'Send less at once; a config belongs in a file when it is that large.',
  },
  PB_TOO_MANY_FAULTS: {
    template: 'Closed after {count} frames that were not of the protocol',
    cause: 'The client keeps sending what the protocol does not know.',
    remedy: 'Connect again with a client of the same release as the gateway.',
  },
  PB_UNKNOWN_METHOD: {
    template: 'There is no call {method}{hint}',
    cause: 'The client is newer or older than the gateway, or the name is mistyped.',
    remedy: 'Check the name, and that both are of the same release.',
  },
  PB_UNKNOWN_STREAM: {
    template: 'There is no stream {stream}{hint}',
    cause: 'The client is newer or older than the gateway, or the name is mistyped.',
    remedy: 'Check the name, and that both are of the same release.',
  },
  PB_BAD_PARAMETERS: {
    template: '{method}: {what}',
    cause: 'A parameter is missing, unknown, of the wrong type or out of range.',
    remedy: 'Correct the parameter that is named and call again.',
  },
  PB_TOO_MANY_CALLS: {
    template: '{limit} calls of this client are still running',
    cause: 'The client starts calls faster than the gateway answers them.',
    remedy: 'Wait for an answer before calling again.',
  },
  PB_TOO_MANY_SUBSCRIPTIONS: {
    template: 'This client already has {limit} streams open',
    cause: 'The client opens streams and does not close them.',
    remedy: 'Close a live view you do not need, or open another connection.',
  },
  PB_BAD_CREDIT: {
    template: 'Credit of {credit} is not possible: a whole number up to {limit}, all in all',
    cause: 'The client asked for more items at once than the gateway is willing to queue.',
    remedy: 'Give credit in smaller portions, as items are taken.',
  },
  PB_CANCELLED: {
    template: '{method} was cancelled',
    cause: 'The caller gave up on it.',
    remedy: 'Call again if you still need it.',
  },
  PB_SLOW_CLIENT: {
    template: 'Closed: the client did not read {buffered} characters that were waiting for it',
    cause: 'The client hangs, or its line is slower than what it asked for.',
    remedy: 'Reload the panel. If it happens again, lower the budget of the live view.',
  },
  PB_HELLO_TIMEOUT: {
    template: 'No greeting from the other side within {seconds} s',
    cause: 'What connected does not speak the control protocol, or it hangs.',
    remedy: 'Check that address and port are those of a gateway, and that it answers `patchbay status`.',
  },
  PB_DISCONNECTED: {
    template: 'No connection to the gateway{why}',
    cause: 'The gateway stopped, restarted or cannot be reached.',
    remedy: 'See whether it runs (`patchbay status`); the panel reconnects by itself.',
  },
  PB_CLIENT_CLOSED: {
    template: 'This connection was closed by its own side',
    cause: 'The program that opened it has ended it.',
    remedy: 'Open a new one.',
  },
  PB_GATEWAY_STOPPING: {
    template: 'The gateway is stopping',
    cause: 'Someone stopped it, or it restarts.',
    remedy: 'Wait for it to come back, or start it again.',
  },

  // Address
  PB_PORT_IN_USE: {
    template: 'Control address {host}:{port} is taken by another program',
    cause: 'Another gateway or another program listens there.',
    remedy:
      'Stop the other program, or choose a free port: of an instance in its config, of the control address with settings.control.port or --control HOST:PORT.',
  },
  PB_CONTROL_ADDRESS: {
    template: 'Cannot listen on control address {host}:{port}: {message}',
    cause: 'The address is not one of this machine, or the port needs rights this user does not have.',
    remedy: 'Set settings.control.host to an address of this machine and settings.control.port to one above 1023.',
  },

  // Access
  PB_NO_SESSION: {
    template: 'No valid session or token',
    cause: 'Nobody signed in here, or the session has expired.',
    remedy: 'Get a new link with `patchbay status --link` and open it, or send the control token as a bearer token.',
  },
  PB_BAD_TOKEN: {
    template: 'The bearer token is not valid',
    cause: 'The token is of another gateway or has been replaced.',
    remedy: 'Use the token in the file control-token of this gateway’s data folder.',
  },
  PB_BAD_CODE: {
    template: 'The code of this link is used up or expired',
    cause: 'A link is good for one use within 60 seconds.',
    remedy: 'Get a new link with `patchbay status --link`.',
  },
  PB_FOREIGN_HOST: {
    template: 'Requests for {host} are not answered here',
    cause: 'The name in the Host header is not one this gateway listens under; it may be a DNS rebinding attack.',
    remedy: 'Use 127.0.0.1, or the address in settings.control.host, with the gateway’s own port.',
  },
  PB_FOREIGN_ORIGIN: {
    template: 'Requests from {origin} are not answered here',
    cause: 'A page of another site tried to reach the gateway.',
    remedy: 'Open the panel itself. If this was you, close the other page.',
  },
  PB_TOO_MANY_CLIENTS: {
    template: '{limit} clients are connected already',
    cause: 'Many panels or programs are open, or one of them leaks connections.',
    remedy: 'Close some of them and try again.',
  },

  // HTTP
  PB_NOT_FOUND: {
    template: 'There is nothing at {path}',
    cause: 'The address is mistyped or of another release.',
    remedy: 'Open / for the panel.',
  },
  PB_BAD_REQUEST: {
    template: 'Cannot make sense of the request: {message}',
    cause: 'The request is not valid HTTP, or its body is not what this address takes.',
    remedy: 'Check method, headers and body.',
  },
  PB_REQUEST_TOO_LARGE: {
    template: 'The request is larger than {limit} bytes',
    cause: 'This address takes small requests only.',
    remedy: 'Send less.',
  },
  PB_REQUEST_TIMEOUT: {
    template: 'The request did not arrive in time',
    cause: 'The other side sends too slowly, or not at all.',
    remedy: 'Try again over a better line.',
  },
} as const satisfies Record<string, ErrorEntry>;
