/** Gives everyone who imports the folding rules those of the later code version that are beside this file. */
const OTHERS = new URL('./folding-rules.ts', import.meta.url).href;

export function resolve(specifier, context, nextResolve) {
  return specifier.endsWith('/folding-rules.js') && context.parentURL !== OTHERS
    ? nextResolve(OTHERS, context)
    : nextResolve(specifier, context);
}
