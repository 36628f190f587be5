/** What a mutant is, and what its run says. */

/**
 * @typedef {{ name: string, file: string, search: string, replace: string, test: string, red: string, project: string }} Mutant
 * @typedef {{ ok: boolean, word: 'caught' | 'SURVIVED' | 'error', why: string }} Verdict
 */

/**
 * @param {unknown} list the content of one file
 * @param {string} file its name, for the error
 * @returns {Mutant[]}
 */
export function checkMutants(list, file) {
  if (!Array.isArray(list)) throw new TypeError(`${file} is not a list`);
  return list.map((/** @type {unknown} */ each, index) => {
    const mutant = /** @type {Mutant} */ ({ project: 'unit', .../** @type {object} */ (each) });
    for (const key of /** @type {const} */ (['name', 'file', 'search', 'replace', 'test', 'red', 'project'])) {
      if (typeof mutant[key] !== 'string') throw new TypeError(`${file}, entry ${index}: ${key} is missing`);
    }
    return mutant;
  });
}

/**
 * @param {string} text the file as it is
 * @param {Mutant} mutant
 * @returns {{ text: string, error: '' } | { text: undefined, error: string }}
 */
export function applyMutant(text, mutant) {
  const found = text.split(mutant.search).length - 1;
  if (found !== 1) return { text: undefined, error: `its search text is there ${found} times` };
  return { text: text.replace(mutant.search, () => mutant.replace), error: '' };
}

/**
 * @param {Mutant} mutant
 * @param {unknown} before vitest's report without the fault
 * @param {unknown} after with it; undefined: vitest did not come to an end
 * @returns {Verdict}
 */
export function verdict(mutant, before, after) {
  const was = statusOf(before, mutant.red);
  if (was !== 'passed')
    return {
      ok: false,
      word: 'error',
      why: was === undefined ? `no test is named: ${mutant.red}` : 'the test does not pass without the fault either',
    };
  if (after === undefined) return { ok: true, word: 'caught', why: 'the run did not end' };
  const is = statusOf(after, mutant.red);
  if (is === 'failed') return { ok: true, word: 'caught', why: '' };
  return { ok: false, word: 'SURVIVED', why: is === undefined ? 'the test file did not load' : '' };
}

/**
 * @param {unknown} report
 * @param {string} name
 * @returns {string | undefined}
 */
function statusOf(report, name) {
  const { testResults = [] } =
    /** @type {{ testResults?: { assertionResults: { fullName: string, status: string }[] }[] }} */ (report ?? {});
  return testResults.flatMap(({ assertionResults }) => assertionResults).find(({ fullName }) => fullName === name)
    ?.status;
}
