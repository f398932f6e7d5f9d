import { register } from 'node:module';

/** `node --import …/other-rules/register.mjs src/main.js`: the same program, compiled, of a later code version. */
register('./loader.mjs', import.meta.url, {
  data: { rules: new URL('./folding-rules.js', import.meta.url).href },
});
