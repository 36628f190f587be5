import { describe, expect, it } from 'vitest';
import { check, type Receipt } from './check.ts';
import { Journal, type JournalEntry } from './journal.ts';

const receipts = (...ids: string[]): Receipt[] => ids.map((id) => ({ id, outcome: 'accepted' }));

/** Three messages of one key, each sent once over one connection, all accepted after the last was sent. */
function pipelined(kinds: readonly JournalEntry['kind'][] = ['good', 'good', 'good']): Journal {
  const journal = new Journal();
  const entries = kinds.map((kind) => journal.next('a', kind));
  for (const entry of entries) journal.sent(entry, 1);
  for (const entry of entries) journal.accept(entry);
  return journal;
}

const verdict = (journal: Journal, got: readonly Receipt[], deadLetters: { id: string; instance: string }[] = []) =>
  check({ sent: journal.entries(), sinks: [{ name: 'out', receipts: got }], deadLetters });

describe('the checker', () => {
  it('finds nothing wrong with all there in order, and counts what came twice', () => {
    expect(verdict(pipelined(), receipts('a-1', 'a-2', 'a-1', 'a-3'))).toEqual({
      faults: [],
      accepted: 3,
      duplicates: 1,
      deadLetters: 0,
    });
  });

  it('names what was accepted and is missing, in each sink', () => {
    expect(verdict(pipelined(), receipts('a-1', 'a-3')).faults).toEqual(['out: accepted and missing: 1, as a-2']);
  });

  it('takes a message that was never accepted for nothing owed', () => {
    const journal = new Journal();
    journal.sent(journal.next('a'), 1);
    expect(verdict(journal, []).faults).toEqual([]);
  });

  it('does not count a message that the peer released as being there', () => {
    const got: Receipt[] = [...receipts('a-1', 'a-2'), { id: 'a-3', outcome: 'released' }];
    expect(verdict(pipelined(), got).faults).toEqual(['out: accepted and missing: 1, as a-3']);
  });

  it('wants a dead letter of the sink for what its peer rejected', () => {
    const got: Receipt[] = [...receipts('a-1', 'a-2'), { id: 'a-3', outcome: 'rejected' }];
    expect(verdict(pipelined(), got).faults).toHaveLength(1);
    expect(verdict(pipelined(), got, [{ id: 'a-3', instance: 'other' }]).faults).toHaveLength(1);
    expect(verdict(pipelined(), got, [{ id: 'a-3', instance: 'out' }]).faults).toEqual([]);
  });

  it('wants a dead letter for each poisoned message, and no other', () => {
    const journal = pipelined(['good', 'poison', 'good']);
    expect(verdict(journal, receipts('a-1', 'a-3')).faults).toEqual([
      'poisoned, accepted and no dead letter: 1, as a-2 (poison)',
    ]);
    expect(verdict(journal, receipts('a-1', 'a-3'), [{ id: 'a-2', instance: 'trap' }]).faults).toEqual([]);
    expect(verdict(journal, receipts('a-1', 'a-2', 'a-3'), [{ id: 'a-2', instance: 'trap' }]).faults).toEqual([
      'out: poisoned and delivered: 1, as a-2 (poison)',
    ]);
    expect(verdict(pipelined(), receipts('a-1', 'a-2', 'a-3'), [{ id: 'a-2', instance: 'trap' }]).faults).toEqual([
      'dead letters of messages that nothing is wrong with: 1, as a-2',
    ]);
  });

  it('wants the order of what went out once over one connection', () => {
    expect(verdict(pipelined(), receipts('a-2', 'a-1', 'a-3')).faults).toEqual([
      'out: out of order: 1, as a-1 after a-2',
    ]);
  });

  it('wants the order of what was accepted before the next went out, whatever was repeated', () => {
    const journal = new Journal();
    const [first, second] = [journal.next('a'), journal.next('a')];
    journal.sent(first, 1);
    journal.sent(first, 2);
    journal.accept(first);
    journal.sent(second, 3);
    journal.accept(second);
    expect(verdict(journal, receipts('a-2', 'a-1')).faults).toHaveLength(1);
    expect(verdict(journal, receipts('a-1', 'a-2')).faults).toEqual([]);
  });

  it('asks for no order where a message was sent again, or over another connection', () => {
    const journal = new Journal();
    const [first, second, third] = [journal.next('a'), journal.next('a'), journal.next('a')];
    for (const entry of [first, second]) journal.sent(entry, 1);
    journal.sent(third, 2);
    journal.sent(first, 2);
    for (const entry of [first, second, third]) journal.accept(entry);
    expect(verdict(journal, receipts('a-3', 'a-2', 'a-1')).faults).toEqual([]);
  });

  it('knows what nobody sent', () => {
    expect(verdict(pipelined(), receipts('a-1', 'a-2', 'a-3', 'b-1')).faults).toEqual(['out: nobody sent: 1, as b-1']);
  });
});
