import { describe, expect, it } from 'vitest';
import { addTally, emptyTally, lastLine, tallyOf, unexpectedSkips } from './tally.mjs';

const run = { root: '/r', exitCode: 0, section: 'unit' };
const file = (name: string, status: string, ...tests: string[]) => ({
  name,
  status,
  assertionResults: tests.map((each, index) => ({ status: each, fullName: `t${index}` })),
});

describe('tally', () => {
  it('counts tests and names what was not passed', () => {
    const report = {
      testResults: [
        file('/r/a.test.ts', 'failed', 'passed', 'failed', 'skipped', 'todo', 'pending'),
        file('/r/b.test.ts', 'passed', 'passed'),
      ],
    };
    expect(tallyOf(report, { ...run, exitCode: 1 })).toMatchObject({
      passed: 2,
      failed: 1,
      skipped: 3,
      failedTests: [{ file: 'a.test.ts', name: 't1' }],
      skippedTests: [{ file: 'a.test.ts', name: 't2' }, { name: 't3' }, { name: 't4' }],
    });
  });

  it('counts a file that could not be loaded as failed', () => {
    expect(tallyOf({ testResults: [file('/r/a.test.ts', 'failed')] }, run)).toMatchObject({
      passed: 0,
      failedTests: [{ file: 'a.test.ts' }],
    });
  });

  it('counts a fault outside the tests, and a run without a report, as failed', () => {
    expect(tallyOf({ testResults: [file('/r/a.test.ts', 'passed', 'passed')] }, { ...run, exitCode: 1 })).toMatchObject(
      { passed: 1, failed: 1 },
    );
    expect(tallyOf(undefined, { ...run, exitCode: null })).toMatchObject({
      failed: 1,
      failedTests: [{ file: 'unit' }],
    });
  });

  it('adds up to the last line', () => {
    const total = emptyTally();
    addTally(total, tallyOf({ testResults: [file('/r/a.test.ts', 'passed', 'passed', 'skipped')] }, run));
    addTally(total, tallyOf({ testResults: [file('/r/b.test.ts', 'failed', 'failed')] }, { ...run, exitCode: 1 }));
    expect(lastLine(total)).toBe('1 passed, 1 failed, 1 skipped');
  });

  it('allows skips by file and by folder only', () => {
    const allowed = [
      { path: 'test/electron/', reason: 'x' },
      { path: 'test/peers/a.test.ts', reason: 'x' },
    ];
    const skipped = [
      'test/electron/x.test.ts',
      'test/peers/a.test.ts',
      'test/peers/b.test.ts',
      'test/electronic.test.ts',
    ].map((each) => ({ file: each, name: 't' }));
    expect(unexpectedSkips(skipped, allowed).map((each) => each.file)).toEqual([
      'test/peers/b.test.ts',
      'test/electronic.test.ts',
    ]);
  });
});
