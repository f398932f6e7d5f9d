import { register } from 'node:module';

/** `node --import …/register-typescript.mjs --import …/other-rules/register.mjs src/main.ts`: the same program of a later code version. */
register('./loader.mjs', import.meta.url, {
  data: { rules: new URL('./folding-rules.ts', import.meta.url).href },
});
