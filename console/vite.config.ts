import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

/** The console is served by the service itself, at `/console/`, under a policy that runs no inline script or style. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: '/console/',
  build: {
    outDir: fileURLToPath(new URL('../dist/console', import.meta.url)),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { '/v1': process.env.TENURE_URL ?? 'http://127.0.0.1:3000' } },
});
