import { register } from 'node:module';

/** `--import …/register-broken.mjs?at=event`: the same program with code that throws; `broken-rules.ts` says at what. */
globalThis.breaksAt = new URL(import.meta.url).searchParams.get('at');
register('./loader.mjs', import.meta.url, {
  data: { rules: new URL('./broken-rules.ts', import.meta.url).href },
});
