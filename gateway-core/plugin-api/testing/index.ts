/** For tests of plugins: `patchbay/plugin-api/testing`. */
export * from './context.ts';
