/** Which row is selected, as it stands in the URL: its place in the tap and its id. */
import type { LiveRow } from '../../../gateway-core/protocol/model.ts';

export interface Selection {
  readonly seq: number;
  readonly id: string;
}

/** After a restart of the engine `seq` begins anew: the id keeps another row from being taken for it. */
export function selectionOf(row: LiveRow): string {
  return `${row.seq}~${row.id}`;
}

export function parseSelection(text: string): Selection | undefined {
  const match = /^(\d{1,15})~(.*)$/s.exec(text);
  return match === null ? undefined : { seq: Number(match[1]), id: match[2] ?? '' };
}
