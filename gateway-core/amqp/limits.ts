import type { AmqpLimits } from '../plugin-api/amqp.ts';

/** {@link AmqpLimits} with the defaults filled in. */
export type Limits = Required<AmqpLimits>;

const MiB = 1024 * 1024;

export function limitsOf(given: AmqpLimits | undefined): Limits {
  return {
    maxFrameSize: given?.maxFrameSize ?? MiB,
    maxMessageSize: given?.maxMessageSize ?? 16 * MiB,
    handshakeMs: given?.handshakeMs ?? 10_000,
    maxConnections: given?.maxConnections ?? 1_000,
    maxLinks: given?.maxLinks ?? 256,
    maxHeldBytes: given?.maxHeldBytes ?? 64 * MiB,
    maxUnsent: given?.maxUnsent ?? 8 * MiB,
  };
}
