import type { Receiver } from 'rhea';

/** Where the peer wants to send to; rhea's typings do not know of it. */
export function addressOf(receiver: Receiver): string {
  const { remote } = receiver as unknown as { remote: { attach?: { target?: { address?: string } } } };
  return remote.attach?.target?.address ?? '';
}
