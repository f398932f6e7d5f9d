import { mkdtemp } from 'node:fs/promises';
import { bundle } from '../../scripts/bundle.mjs';
import { compiled } from './compiled.js';

const RULES = compiled('src/projections/entitlements/folding-rules.ts');
const LATER_RULES = compiled('test/support/other-rules/folding-rules.ts');

let later: Promise<string> | null = null;

/** The folder of a later version of the program, built as it is but with the rules of `other-rules/folding-rules.ts`. */
export function laterVersion(): Promise<string> {
  later ??= build();
  return later;
}

async function build(): Promise<string> {
  const folder = await mkdtemp(`${compiled('later')}-`);
  await bundle(compiled('src'), folder, [
    {
      name: 'later rules',
      async resolveId(id, from, options) {
        const found = await this.resolve(id, from, options);
        return found?.id === RULES && from !== LATER_RULES ? LATER_RULES : found;
      },
    },
  ]);
  return folder;
}
