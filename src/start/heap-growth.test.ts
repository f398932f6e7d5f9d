import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Objects that are alive at a time: 40 MB, as V8 has them. */
const ALIVE = 200_000;
/** So many times all of them are replaced, the oldest first. */
const ROUNDS = 8;

/** Prints the most bytes that a process took for old objects. */
const PROGRAM = `
  import { getHeapSpaceStatistics } from 'node:v8';
  import { limitHeapGrowth } from './src/start/heap-growth.ts';
  limitHeapGrowth();
  const alive = [];
  let most = 0;
  for (let n = 0; n < ${ALIVE * ROUNDS}; n += 1) {
    alive[n % ${ALIVE}] = { n, text: 'fact ' + n, more: [n, n + 1, n + 2] };
    if (n % ${ALIVE / 10} !== 0) continue;
    const old = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space');
    most = Math.max(most, old.space_size);
  }
  console.log(most);
`;

describe('The heap of the service', () => {
  it('stays near what is alive in it, however much was in it before', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--no-warnings',
      '--max-semi-space-size=4',
      '--import',
      './test/support/register-typescript.mjs',
      '--input-type=module',
      '--eval',
      PROGRAM,
    ]);
    expect(Number(stdout)).toBeGreaterThan(30_000_000);
    expect(Number(stdout)).toBeLessThan(90_000_000);
  }, 60_000);
});
