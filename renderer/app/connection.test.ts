import { describe, expect, it } from 'vitest';
import { wireError } from '../../gateway-core/protocol/wire-error.ts';
import { connectionOf } from './connection.ts';

describe('connectionOf', () => {
  it('is connecting at first and lost afterwards, with the time of the loss', () => {
    expect(connectionOf({ name: 'connecting', since: 5, failures: 0 })).toEqual({ phase: 'connecting' });
    const reason = wireError('PB_DISCONNECTED', { why: '' });
    expect(connectionOf({ name: 'connecting', since: 5, failures: 1, reason, retryAt: 9 })).toEqual({
      phase: 'lost',
      since: 5,
      retryAt: 9,
      reason,
    });
    expect(connectionOf({ name: 'connecting', since: 5, failures: 1, reason })).toMatchObject({ retryAt: 0 });
  });

  it('stays refused while a refusal is tried again', () => {
    const reason = wireError('PB_NO_SESSION');
    expect(connectionOf({ name: 'closed', since: 5, reason })).toEqual({ phase: 'refused', reason });
    expect(connectionOf({ name: 'connecting', since: 5, failures: 1, reason })).toEqual({ phase: 'refused', reason });
  });

  it('says what one may do', () => {
    expect(connectionOf({ name: 'open', since: 5, access: 'read', engine: '1', epoch: 'e' })).toEqual({
      phase: 'connected',
      access: 'read',
      engine: '1',
      epoch: 'e',
    });
  });
});
