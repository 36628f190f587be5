import { describe, it } from 'node:test';
import { describeConformance } from 'patchbay/plugin-api/testing';

// What every plugin of this kind has to do. `patchbay plugins test .` runs the same checks by itself.
await describeConformance(import.meta.dirname, { describe, it });
