import { describe, expect, it } from 'vitest';
import type { LetterMessage } from '../../../gateway-core/protocol/dead-letters.ts';
import { changeOf, draftOf, faultsOf } from './letter-draft.ts';

const message = (payload: LetterMessage['payload']): LetterMessage => ({
  event: {} as LetterMessage['event'],
  payload,
  type: 't',
  subject: '',
  partitionkey: 'k',
  attributes: { address: 'a' },
});
const text = message({ form: 'text', text: 'old' });

describe('the draft of a letter', () => {
  it('changes only what was changed', () => {
    const draft = draftOf(text);
    expect(changeOf(draft, text)).toBeUndefined();
    expect(changeOf({ ...draft, payload: 'new', partitionkey: '' }, text)).toEqual({
      payload: { text: 'new' },
      partitionkey: '',
    });
    expect(changeOf({ ...draft, attributes: '{}' }, text)).toEqual({ attributes: {} });
    const bytes = message({ form: 'bytes', base64: '/wA=' });
    expect(changeOf({ ...draftOf(bytes), payload: 'AAA=' }, bytes)).toEqual({ payload: { base64: 'AAA=' } });
  });

  it('names what is wrong before the engine is asked', () => {
    const json = message({ form: 'json', text: '{}' });
    expect(faultsOf({ ...draftOf(json), payload: '{' }, json).payload).toBeDefined();
    expect(faultsOf({ ...draftOf(text), payload: '{' }, text).payload).toBeUndefined();
    expect(faultsOf({ ...draftOf(text), attributes: '[1]' }, text).attributes).toBeDefined();
    expect(faultsOf(draftOf(text), text)).toEqual({ payload: undefined, attributes: undefined });
  });
});
