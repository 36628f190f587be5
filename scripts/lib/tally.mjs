/** Adds up what vitest's JSON reporter wrote. */

/**
 * @typedef {{ passed: number, failed: number, skipped: number, skippedTests: { file: string, name: string }[], failedTests: { file: string, name: string }[] }} Tally
 */

/** @returns {Tally} */
export function emptyTally() {
  return { passed: 0, failed: 0, skipped: 0, skippedTests: [], failedTests: [] };
}

/**
 * One run. A file that could not even be loaded, and a fault outside any test, count as a failed test each:
 * otherwise a run in which nothing ran would look fine.
 *
 * @param {unknown} report the reporter's file; undefined: there is none
 * @param {{ root: string, exitCode: number | null, section: string }} run
 * @returns {Tally}
 */
export function tallyOf(report, run) {
  const tally = emptyTally();
  const files =
    /** @type {{ testResults?: { name: string, status: string, assertionResults: { status: string, fullName: string }[] }[] }} */ (
      report ?? {}
    ).testResults ?? [];
  for (const { name, status, assertionResults } of files) {
    const file = shorten(name, run.root);
    let failedHere = 0;
    for (const test of assertionResults) {
      if (test.status === 'passed') tally.passed++;
      else if (test.status === 'failed') {
        failedHere++;
        tally.failedTests.push({ file, name: test.fullName });
      } else tally.skippedTests.push({ file, name: test.fullName });
    }
    if (status === 'failed' && failedHere === 0) tally.failedTests.push({ file, name: '(the file itself)' });
  }
  if (run.exitCode !== 0 && tally.failedTests.length === 0) {
    tally.failedTests.push({
      file: run.section,
      name: `(outside any test: vitest ended with ${run.exitCode ?? 'a signal'})`,
    });
  }
  tally.failed = tally.failedTests.length;
  tally.skipped = tally.skippedTests.length;
  return tally;
}

/**
 * @param {string} file
 * @param {string} root
 */
function shorten(file, root) {
  const plain = file.replaceAll('\\', '/');
  const folder = `${root.replaceAll('\\', '/')}/`;
  return plain.startsWith(folder) ? plain.slice(folder.length) : plain;
}

/**
 * @param {Tally} into
 * @param {Tally} other
 */
export function addTally(into, other) {
  into.passed += other.passed;
  into.failed += other.failed;
  into.skipped += other.skipped;
  into.skippedTests.push(...other.skippedTests);
  into.failedTests.push(...other.failedTests);
}

/**
 * The skipped tests that no row of the list allows.
 *
 * @param {Tally['skippedTests']} skipped
 * @param {readonly { path: string, reason: string }[]} allowed `path`: a file, or a folder with `/` at its end
 */
export function unexpectedSkips(skipped, allowed) {
  return skipped.filter(
    ({ file }) => !allowed.some(({ path }) => (path.endsWith('/') ? file.startsWith(path) : file === path)),
  );
}

/** @param {Tally} tally */
export function lastLine(tally) {
  return `${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped`;
}
