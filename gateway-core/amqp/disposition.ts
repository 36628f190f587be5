import type { AmqpOutcome } from '../plugin-api/amqp.ts';
import type { RheaContainer, RheaSession, RheaTypes, Typed } from './rhea.ts';

/** Code of the disposition performative (AMQP 1.0, section 2.7.6). */
const DISPOSITION = 0x15;

/** The delivery state that tells `outcome` (AMQP 1.0, section 3.4). */
export function encodeState(rhea: RheaContainer, outcome: AmqpOutcome): Typed {
  switch (outcome.kind) {
    case 'accepted':
      return rhea.message.accepted().described();
    case 'released':
      return rhea.message.released().described();
    case 'modified':
      return rhea.message
        .modified({
          delivery_failed: outcome.deliveryFailed ?? false,
          undeliverable_here: outcome.undeliverableHere ?? false,
        })
        .described();
    case 'rejected': {
      const error = { condition: outcome.condition, description: outcome.description ?? '' };
      return rhea.message.rejected({ error }).described();
    }
  }
}

/** Settles the deliveries `first` to `last` of a session, both included, as their receiver. */
export function writeDisposition(
  types: RheaTypes,
  session: RheaSession,
  first: number,
  last: number,
  state: Typed,
): void {
  const fields = [
    types.wrap_boolean(true),
    types.wrap_uint(first),
    types.wrap_uint(last),
    types.wrap_boolean(true),
    state,
  ];
  session.output(types.described_nc(types.wrap_ulong(DISPOSITION), types.wrap_list(fields)));
}
