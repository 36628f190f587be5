/** For tests of plugins: `patchbay/plugin-api/testing`. */
export { ConformanceFailure, type Check } from './conformance/check.ts';
export * from './conformance/definition.ts';
export {
  conformanceChecks,
  describeConformance,
  type ConformanceOptions,
  type TestRunner,
} from './conformance/index.ts';
export * from './context.ts';
