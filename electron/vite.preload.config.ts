/** Bundles the preload to one CommonJS file: a sandboxed window takes no other, and types are not stripped there. */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

export default defineConfig({
  build: {
    lib: {
      entry: fileURLToPath(new URL('./preload.ts', import.meta.url)),
      formats: ['cjs'],
      fileName: () => 'preload.cjs',
    },
    outDir: fileURLToPath(new URL('../dist/electron/', import.meta.url)),
    emptyOutDir: true,
    minify: false,
    target: 'node24',
    rolldownOptions: { external: ['electron'] },
  },
});
