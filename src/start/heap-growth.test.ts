import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { built } from '../../test/support/compiled.js';

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

/** What a thread does: it makes objects, of which many live for a while, and tells the most bytes that it took for young ones. */
const THREAD = `
  import { getHeapSpaceStatistics } from 'node:v8';
  import { parentPort } from 'node:worker_threads';
  const alive = [];
  let most = 0;
  for (let n = 0; n < 1_000_000; n += 1) {
    alive[n % 60_000] = { n, text: 'fact ' + n, more: [n, n + 1, n + 2] };
    if (n % 20_000 !== 0) continue;
    const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
    most = Math.max(most, young.space_size);
  }
  parentPort.postMessage({ kind: 'started', most });
`;

/** Prints what a folding thread with halves of 4 MB for young objects tells. */
const THREADED = `
  import { FoldingThread } from './src/projections/workers/folding-thread.ts';
  import { limitHeapGrowth } from './src/start/heap-growth.ts';
  limitHeapGrowth();
  const file = new URL('data:text/javascript,' + encodeURIComponent(${JSON.stringify(THREAD)}));
  const onMessage = ({ most }) => console.log(most);
  await new FoldingThread({ file, place: {}, youngMegabytes: 4, onMessage, onDied() {} }).start();
`;

describe('The heap of the service', () => {
  it('stays near what is alive in it, however much was in it before', async () => {
    const most = await printed(PROGRAM, 4);
    expect(most).toBeGreaterThan(30_000_000);
    expect(most).toBeLessThan(90_000_000);
  }, 60_000);

  it('has as much room for young objects in a folding thread as that thread was given, whatever the process was started with', async () => {
    const most = await printed(THREADED, 16);
    expect(most).toBeGreaterThan(4_000_000);
    expect(most).toBeLessThan(10_000_000);
  }, 60_000);

  it('has the text of a program in it of which no letter makes a whole file take two bytes a letter', async () => {
    const folder = dirname(built('main'));
    const files = (await readdir(folder)).filter((name) => name.endsWith('.js'));
    const texts = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')));
    expect(files.length).toBeGreaterThan(10);
    expect(files.filter((_, n) => /[^\0-\xff]/.test(texts[n] ?? ''))).toEqual([]);
  });
});

/** What a program prints that is started with so many MB for each half of young objects. */
async function printed(program: string, halfMegabytes: number): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--no-warnings',
    `--max-semi-space-size=${halfMegabytes}`,
    '--import',
    './test/support/register-typescript.mjs',
    '--input-type=module',
    '--eval',
    program,
  ]);
  return Number(stdout);
}
