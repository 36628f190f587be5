import { expect, it } from 'vitest';
import type { Problem } from '../../../gateway-core/protocol/model.ts';
import { buildForm } from './form-model.ts';
import { assignProblems, hasProblem } from './problems.ts';

const form = buildForm(
  {
    type: 'object',
    properties: {
      rate: { type: 'integer' },
      list: { type: 'array', items: { type: 'string' } },
      tls: { type: 'object', properties: { ca: { type: 'string' } } },
    },
  },
  { list: ['a'] },
);
const base = ['sources', 'demo', 'config'];
const problem = (...path: (string | number)[]): Problem => ({
  severity: 'error',
  code: 'PB_X',
  message: 'm',
  remedy: 'r',
  path,
});

it('gives a problem to the field at its path', () => {
  const { byField, unmatched } = assignProblems([problem(...base, 'rate'), problem(...base, 'list', '0')], form, base);
  expect([...byField.keys()]).toEqual(['["rate"]', '["list",0]']);
  expect(unmatched).toEqual([]);
});

it('gives it to the nearest field above, where its own is not on the screen', () => {
  const problems = assignProblems([problem(...base, 'tls', 'ca')], form, base);
  expect([...problems.byField.keys()]).toEqual(['["tls"]']);
  expect(hasProblem(form, problems)).toBe(true);
});

it('leaves the rest for the top of the form', () => {
  const others = [problem(...base), problem(...base, 'nowhere'), problem('sinks', 'x', 'config', 'rate'), problem()];
  expect(assignProblems(others, form, base).unmatched).toEqual(others);
});
