/** For tests of plugins: `patchbay/plugin-api/testing`. */
export { ConformanceFailure, type Check } from './conformance/check.js';
export * from './conformance/definition.js';
export { conformanceChecks, describeConformance, type ConformanceOptions, type TestRunner, } from './conformance/index.js';
export * from './context.js';
