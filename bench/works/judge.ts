import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { judge } from '../../src/policy/judge.js';
import { explain } from '../../src/policy/reasons/explain.js';
import { type Life, lapsedLife, paymentLife, stripeLife } from '../../test/support/lives.js';
import { median, type WorkReport } from '../report.js';
import type { BenchContext } from '../support/bench-context.js';
import { benchFolder } from '../support/end-of-bench.js';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The file that came when the rules began to say that they decided; the policy of the commit before had no reasons. */
const FIRST_WITH_REASONS = 'src/policy/status-rules.ts';
/** What the policy of then imports. */
const FOLDERS = ['src/policy', 'src/events', 'src/observability'];

/** Pairs of passes over the lives, each pair in the other order than the one before. */
const PAIRS = 50;
/** Passes that are not counted. */
const WARM_UP = 25;
const LIVES_OF_A_KIND = 150;
const SEED = 20_261_129;

type Judge = (life: Life) => unknown;

/** What a judgement costs that nobody asks to explain, beside one by the policy before it had reasons. Both in this process, by its CPU time. */
export async function benchJudge({ say }: Pick<BenchContext, 'say'>): Promise<WorkReport> {
  const lives = [stripeLife(), paymentLife(), lapsedLife()].flatMap((kind) =>
    fc.sample(kind, { numRuns: LIVES_OF_A_KIND, seed: SEED }),
  );
  const folder = await benchFolder(join(ROOT, '.judge-before-'));
  const commit = await policyBefore(folder);
  if (commit === null) {
    return {
      rows: [],
      notes: [{ what: 'judge', value: 'not measured: no history of the sources is here' }],
    };
  }
  const { judge: earlier } = await import(pathToFileURL(join(folder, 'src/policy/judge.ts')).href);
  const now: Judge = ({ facts, catalog, now }) => judge(facts, catalog, now);
  const before: Judge = ({ facts, catalog, now }) => earlier(facts, catalog, now);
  const why: Judge = ({ facts, catalog, now }) =>
    explain({ ...facts, deletedBy: new Map(), things: () => [] }, catalog, now);
  const pairs = pairsOf(lives, now, before).slice(WARM_UP);
  const explained = pairsOf(lives, why, now).slice(WARM_UP);
  say(`  ${PAIRS} pairs of ${lives.length} judgements, against the policy of ${commit}`);
  const row = {
    work: 'judgement that nobody asks to explain',
    ours: median(pairs.map(([ours]) => ours)),
    against: 'the policy before it had reasons',
    theirs: median(pairs.map(([, theirs]) => theirs)),
    unit: 'µs',
    ratio: median(pairs.map(([ours, theirs]) => theirs / ours)),
    least: 0.95, // 1.05 times as much
    aim: null,
  };
  const cost = median(explained.map(([ours, theirs]) => ours / theirs));
  return {
    rows: [row],
    notes: [{ what: 'a judgement that is explained', value: `${cost.toFixed(1)} times one that is not` }],
  };
}

/** Microseconds of CPU time of a judgement by each of two, pair by pair. */
function pairsOf(lives: readonly Life[], one: Judge, other: Judge): (readonly [number, number])[] {
  return Array.from({ length: WARM_UP + PAIRS }, (_, n) => {
    if (n % 2 === 0) return [costOf(lives, one), costOf(lives, other)] as const;
    const second = costOf(lives, other);
    return [costOf(lives, one), second] as const;
  });
}

function costOf(lives: readonly Life[], judgeLife: Judge): number {
  const start = process.cpuUsage().user;
  for (const life of lives) judgeLife(life);
  return (process.cpuUsage().user - start) / lives.length;
}

/** Takes the policy of the commit before reasons came out of the history; `null` where there is none. */
async function policyBefore(folder: string): Promise<string | null> {
  const git = (...args: readonly string[]) => run('git', ['-C', ROOT, ...args]);
  const came = await git('log', '--diff-filter=A', '--format=%H', '--', FIRST_WITH_REASONS).catch(() => null);
  const first = came?.stdout.trim().split('\n').at(-1);
  if (first === undefined || first === '') return null;
  const archive = join(folder, 'before.tar');
  const { stdout } = await git('log', '-1', '--format=%h', `${first}^`);
  await git('archive', `--output=${archive}`, stdout.trim(), ...FOLDERS);
  await run('tar', ['-xf', archive, '-C', folder]);
  return stdout.trim();
}
