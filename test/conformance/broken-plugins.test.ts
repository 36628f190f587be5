/** Every check can fail: each of these plugins does one thing wrong, and the check that is there for it says so. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { conformanceChecks } from 'patchbay/plugin-api/testing';

const folder = join(import.meta.dirname, '../fixtures/broken-plugins');
const options = { patienceMs: 1000, quietMs: 100 };

/** Plugin: the check that must find its fault, and how it tells it. */
const broken: Readonly<Record<string, readonly [check: string, message: RegExp]>> = {
  'handler-bad-manifest': ['manifest', /stability/],
  'handler-is-a-sink': ['definition', /not a handler's definition/],
  'handler-throws-at-import': ['definition', /at import/],
  'handler-takes-anything': ['config schema', /tag takes anything/],
  'handler-bad-default': ['config schema', /default or example "" is not valid/],
  'handler-silent-field': ['config schema', /tag has no `description`/],
  'handler-open-schema': ['config refused by the schema', /unknown keys/],
  'handler-loses-one-result': ['one result per message', /3 results for 4 messages/],
  'handler-gives-undefined': ['one result per message', /result 0 is undefined/],
  'handler-reorders': ['order', /result \d+ is made of message \d+/],
  'handler-depends-on-the-batch': ['order', /message 0 is replaced alone but filtered in a batch/],
  'handler-invents-a-message': ['lineage', /of its own making/],
  'handler-drops-silently': ['lineage', /is lost/],
  'handler-gives-parts-one-id': ['lineage', /two messages have the id/],
  'handler-changes-its-input': ['lineage', /itself was changed/],
  'handler-throws-for-a-whole-batch': [
    'refused messages',
    /threw for a whole batch .* because of: .*not UTF-8|no bytes/,
  ],
  'handler-refuses-with-an-undeclared-code': [
    'refused messages',
    /refused with WHAT, which plugin\.json does not declare/,
  ],
  'handler-refuses-good-messages': ['refused messages', /a sample of conformance\.ts is refused/],
  'handler-leaks-a-timer': ['opens and closes', /left open: a timer \(made at handler\.ts:\d+\)/],
  'handler-close-hangs': ['opens and closes', /close\(\) did not end/],
  'handler-never-answers': ['stop while busy', /batch under way at close\(\) did not end/],
  'handler-lies-about-reconfigure': ['reconfigure', /said true, but message 0/],
  'handler-answers-reconfigure-with-nothing': ['reconfigure', /gave undefined/],
  'handler-names-the-wrong-field': ['config that cannot work', /at 'other', not at 'tag'/],
  'handler-throws-a-plain-error-for-a-bad-config': ['config that cannot work', /throws no ConfigError/],
  'handler-settles-undeclared': ['definition', /must say `"stateful": true`/],
  'handler-remembers-too-soon': [
    'remembers nothing before the outcome',
    /message 0 was replaced, and is filtered .* after a crash/,
  ],
  'handler-remembers-what-came-back': ['remembers nothing that came back', /message 0 was replaced, and is filtered/],
  'handler-forgets-in-its-next-life': ['keeps what is settled', /message 0 was filtered, and is replaced in its next/],
  'handler-hides-that-it-could-not-store': ['says what it could not keep', /says done although its state could not/],
  'sink-custody-mismatch': ['definition', /custody is remote in plugin\.json but view in the code/],
  'sink-done-before-writing': ['done means done', /says done, which means confirmed by the peer/],
  'sink-writes-out-of-order': ['order', /place 0 holds order-0-19/],
  'sink-throws-for-odd-messages': ['refused messages', /write\(\) threw .* for null/],
  'sink-loses-what-came-with-a-refusal': ['refused messages', /good messages are not there/],
  'sink-refuses-without-a-declared-code': ['refused messages', /SOMETHING_ELSE is not declared/],
  'sink-refuses-when-the-peer-is-away': ['reconnect', /that is a dead letter, not a retry/],
  'sink-throws-a-plain-error-when-the-peer-is-away': ['reconnect', /not NotConnectedError/],
  'sink-says-done-when-the-peer-is-away': ['reconnect', /says done although the peer is away/],
  'sink-leaks-a-port': ['opens and closes', /left open: a TCP server/],
  'sink-cannot-be-opened-again': ['opens and closes', /open\(\) the second time failed/],
  'sink-writes-after-close': ['stop while busy', /arrived after close\(\)/],
  'sink-close-hangs': ['stop while busy', /close\(\) did not end/],
  'sink-forgets-all-after-reconfigure': ['reconfigure', /what is written after it is not there/],
  'sink-loses-writes-at-once': ['concurrency', /of 4 writes at once 30 messages are not there/],
  'sink-opens-with-a-bad-config': ['config that cannot work', /opens as if all were well/],
  'source-ignores-back-pressure': ['back-pressure', /still pending/],
  'source-emits-after-stop': ['stop while busy', /after stop\(\) had ended/],
  'source-stop-waits-for-room': ['stop while busy', /stop\(\) without room did not end/],
  'source-accepts-before-the-outcome': ['outcomes', /had no outcome yet/],
  'source-accepts-what-was-refused': [
    'outcomes',
    /'accepted' of the message that was refused and not stored; that means 'rejected'/,
  ],
  'source-shuffles': ['order', /place 0 holds order-0-7/],
  'source-reuses-its-batch': ['batches', /a batch was changed after it was emitted/],
  'source-emits-empty-batches': ['batches', /an empty batch/],
  'source-makes-messages-of-its-own': ['batches', /is of instance 'someone'/],
  'source-dies-of-damage': ['refused messages', /were not emitted|fail as a whole/],
  'source-never-reconnects': ['reconnect', /none of its messages is emitted/],
  'source-takes-an-absent-peer-for-a-bad-config': ['reconnect', /ConfigError/],
  'source-leaks-a-port': ['opens and closes', /left open: a TCP server/],
  'source-leaves-a-listener-on-process': ['opens and closes', /a listener for 'warning' on process/],
  'source-is-silent-after-reconfigure': ['reconfigure', /were not emitted/],
  'source-ignores-a-bad-config': ['config that cannot work', /opens as if all were well/],
  'source-waits-on-a-bad-config': ['config that cannot work', /neither opens nor fails/],
};

const good = ['handler-good', 'handler-remembers', 'sink-good', 'source-good'];

describe('plugins with one fault', () => {
  it('are all listed here', () => {
    const folders = readdirSync(folder).filter((name) => name !== 'shared');
    expect(folders.toSorted()).toEqual([...Object.keys(broken), ...good].toSorted());
  });

  it.each(Object.entries(broken))('%s', async (name, [check, message]) => {
    const checks = await conformanceChecks(join(folder, name), options);
    const named = checks.filter((one) => one.name === check);
    expect(named.map(({ notApplicable }) => notApplicable)).toEqual([undefined]);
    await expect(named[0]?.run()).rejects.toThrow(message);
  });
});

describe('plugins without a fault', () => {
  it.each(good)('%s passes every check', async (name) => {
    const checks = await conformanceChecks(join(folder, name));
    expect(checks.filter(({ notApplicable }) => notApplicable !== undefined)).toEqual([]);
    for (const check of checks) await expect(check.run(), check.name).resolves.toBeUndefined();
  });

  it('between them run every check that there is', async () => {
    const names = new Set<string>();
    for (const name of good)
      for (const check of await conformanceChecks(join(folder, name), options)) names.add(check.name);
    const wanted = new Set(Object.values(broken).map(([check]) => check));
    expect([...names].toSorted()).toEqual([...wanted].toSorted());
  });
});
