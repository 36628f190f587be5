import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from './paths.mjs';
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
  it('of this tree all fit: each text is found once, each test is named', () => {
    const folder = join(root, 'test/mutants');
    const all = readdirSync(folder)
      .filter((file) => file.endsWith('.json'))
      .flatMap((file) => checkMutants(JSON.parse(readFileSync(join(folder, file), 'utf8')), file));
    expect(all.length).toBeGreaterThan(100);
    const unfit = all.filter(({ file, search, test }) => {
      const text = readFileSync(join(root, file), 'utf8');
      return text.split(search).length !== 2 || !existsSync(join(root, test));
    });
    expect(unfit.map(({ name }) => name)).toEqual([]);
  });
  it('are complete', () => {
    const { project: _project, ...rest } = mutant;
    expect(checkMutants([rest], 'f.json')).toEqual([mutant]);
    expect(() => checkMutants([{ name: 'n' }], 'f.json')).toThrow('f.json, entry 0: file is missing');
    expect(() => checkMutants({}, 'f.json')).toThrow('f.json is not a list');
  });
});
