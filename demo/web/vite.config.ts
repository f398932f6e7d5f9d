import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

/** The page of the demo; whoever builds it says where to. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  build: { assetsInlineLimit: 0, modulePreload: { polyfill: false }, emptyOutDir: true },
});
