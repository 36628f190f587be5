import { describe, expect, it } from 'vitest';
import { applyMutant, checkMutants, verdict, type Mutant } from './mutants.mjs';

const mutant: Mutant = { name: 'n', file: 'f', search: 'a', replace: '$&b', test: 't', red: 'x y', project: 'unit' };
const report = (status: string, fullName = 'x y') => ({ testResults: [{ assertionResults: [{ fullName, status }] }] });

describe('mutants', () => {
  it('are applied where their text is found exactly once, as it stands', () => {
    expect(applyMutant('-a-', mutant)).toEqual({ text: '-$&b-', error: '' });
    expect(applyMutant('aa', mutant).text).toBeUndefined();
    expect(applyMutant('-', mutant).text).toBeUndefined();
  });
  it('are caught only by the named test turning from green to red', () => {
    expect(verdict(mutant, report('passed'), report('failed'))).toMatchObject({ ok: true, word: 'caught' });
    expect(verdict(mutant, report('passed'), undefined)).toMatchObject({ ok: true, word: 'caught' });
    expect(verdict(mutant, report('passed'), report('passed'))).toMatchObject({ ok: false, word: 'SURVIVED' });
    expect(verdict(mutant, report('passed'), report('failed', 'another'))).toMatchObject({
      ok: false,
      word: 'SURVIVED',
    });
    expect(verdict(mutant, report('failed'), report('failed'))).toMatchObject({ ok: false, word: 'error' });
    expect(verdict(mutant, report('passed', 'another'), report('failed'))).toMatchObject({ ok: false, word: 'error' });
  });
  it('are complete', () => {
    const { project: _project, ...rest } = mutant;
    expect(checkMutants([rest], 'f.json')).toEqual([mutant]);
    expect(() => checkMutants([{ name: 'n' }], 'f.json')).toThrow('f.json, entry 0: file is missing');
    expect(() => checkMutants({}, 'f.json')).toThrow('f.json is not a list');
  });
});
