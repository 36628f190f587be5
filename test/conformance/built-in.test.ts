/** Every built-in plugin passes the conformance tests, as any other would have to. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { conformanceChecks } from 'patchbay/plugin-api/testing';

const folder = join(import.meta.dirname, '../../plugins');
const names = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

/** Why a check may be left out for all plugins: there is nothing to check. */
const NOTHING_TO_CHECK = [
  'it takes no config',
  'it has no reconfigure(): the host restarts it',
  'plugin.json allows one write at a time',
];

/** What else is left out, and why that is right. One that could run is missed in a plugin's conformance.ts. */
const LEFT_OUT: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'source amqp1: listening': { reconnect: 'it is the endpoint itself: senders come and go as they like' },
  'source amqp1: connecting': { 'refused messages': 'damaged frames are tested in gateway-core/amqp' },
  'sink console': {
    reconnect: 'it has no peer',
    'config that cannot work': 'every valid config works',
  },
  'source generator': {
    order: 'it makes its messages itself',
    outcomes: 'it makes its messages itself',
    'refused messages': 'it makes its messages itself',
    reconnect: 'it has no peer',
    'config that cannot work': 'every valid config works',
  },
  'source http-events': { reconnect: 'it is the server itself: clients come and go as they like' },
  'sink json-file': { reconnect: 'it has no peer' },
  'source noop': {
    batches: 'it emits nothing',
    order: 'it emits nothing',
    'back-pressure': 'it emits nothing',
    outcomes: 'it emits nothing',
    'refused messages': 'it emits nothing',
    reconnect: 'it emits nothing',
    'stop while busy': 'it emits nothing',
  },
  'sink prometheus': { reconnect: 'it is the server itself: scrapers come and go as they like' },
};

it('finds the built-in plugins', () => {
  expect(names).toEqual(expect.arrayContaining(['amqp1', 'filter', 'prometheus']));
});

for (const name of names) {
  const checks = await conformanceChecks(join(folder, name), { patienceMs: 10_000 });
  describe(name, () => {
    for (const check of checks) {
      if (check.notApplicable === undefined) it(`${check.subject}: ${check.name}`, () => check.run());
    }

    it('leaves out only what cannot run', () => {
      const left = checks.filter(
        ({ notApplicable }) => notApplicable !== undefined && !NOTHING_TO_CHECK.includes(notApplicable),
      );
      const wanted = new Set(checks.map(({ subject }) => subject));
      const expected = Object.entries(LEFT_OUT)
        .filter(([subject]) => wanted.has(subject))
        .flatMap(([subject, reasons]) => Object.keys(reasons).map((check) => `${subject}: ${check}`));
      expect(left.map((check) => `${check.subject}: ${check.name}`).toSorted()).toEqual(expected.toSorted());
    });
  });
}
