import { eventTypeFilter, jsonEvent } from '@eventstore/db-client';
import { z } from 'zod';
import { until } from '../../support/until.js';
import type { CaseFamily, RecordedCase } from './cases.js';
import { World } from './world.js';

type At = { readonly commit: bigint; readonly prepare: bigint };

interface Seen {
  readonly kind: 'C' | 'E' | 'caughtUp' | '--live';
  readonly at: At;
}

const NOWHERE: At = { commit: -1n, prepare: -1n };

/** Records each run leaves behind: forty, of which one is rare. */
const LIVE = 40;

/** The measured runs, one after the other on one server: 25 other records, 1,000 with every hundredth rare, then these. */
const RUNS = [
  { id: 'checkpoint-default-window', filter: {} },
  { id: 'checkpoint-interval-2', filter: { checkpointInterval: 2 } },
  { id: 'checkpoint-window-10', filter: { maxSearchWindow: 10 } },
  { id: 'checkpoint-window-10-interval-5', filter: { maxSearchWindow: 10, checkpointInterval: 5 } },
];

interface Run {
  readonly seen: readonly Seen[];
  /** Positions of all records of `$all`, in order, and of the rare ones. */
  readonly all: readonly bigint[];
  readonly rare: readonly bigint[];
}

/** Repeats the runs up to the one of `id` and returns it, with the world it left. */
async function runUpTo(id: string): Promise<{ readonly run: Run; readonly world: World }> {
  const world = await World.open();
  await write(world, 24, () => 'Other');
  await write(world, 1_000, (n) => (n % 100 === 0 ? 'Rare' : 'Common'));
  let run: Run | undefined;
  for (const { id: name, filter } of RUNS) {
    run = await subscribeAndWrite(world, filter);
    if (name === id) return { run, world };
  }
  await world.close();
  throw new Error(`no such run: ${id}`);
}

async function write({ client }: World, count: number, type: (n: number) => string): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    await client.appendToStream('checkpoints', jsonEvent({ type: type(n), data: {} }));
  }
}

async function subscribeAndWrite(world: World, options: object): Promise<Run> {
  const seen: Seen[] = [];
  const filter = eventTypeFilter({
    prefixes: ['Rare'],
    checkpointReached: (_, at) => {
      seen.push({ kind: 'C', at });
    },
    ...options,
  });
  const subscription = world.client.subscribeToAll({ filter });
  subscription.on('data', ({ event }) => {
    if (event?.position !== undefined) seen.push({ kind: 'E', at: event.position });
  });
  subscription.on('caughtUp', () => seen.push({ kind: 'caughtUp', at: NOWHERE }));
  await until('caught up', () => seen.some(({ kind }) => kind === 'caughtUp'));
  seen.push({ kind: '--live', at: NOWHERE });
  await write(world, LIVE, (n) => (n === 20 ? 'Rare' : 'Common'));
  const looked = await level(world);
  await until('the live checkpoints', () => coveredBy(seen, looked, options));
  await subscription.unsubscribe();
  return { seen, ...looked };
}

interface Level {
  readonly all: readonly bigint[];
  readonly rare: readonly bigint[];
}

async function level({ client }: World): Promise<Level> {
  const all: bigint[] = [];
  const rare: bigint[] = [];
  for await (const { event } of client.readAll()) {
    if (event?.position === undefined) continue;
    all.push(event.position.commit);
    if (event.type === 'Rare') rare.push(event.position.commit);
  }
  return { all, rare };
}

/** True when the subscription has said all it will: every rare event, and a checkpoint per interval of records. */
function coveredBy(seen: readonly Seen[], { all, rare }: Level, options: object): boolean {
  const window: number = Reflect.get(options, 'maxSearchWindow') ?? 32;
  const every = window * (Reflect.get(options, 'checkpointInterval') ?? 1);
  const count = (kind: Seen['kind']) => seen.filter((one) => one.kind === kind).length;
  return count('E') === rare.length && count('C') >= Math.floor(all.length / every);
}

/** Counts and order of checkpoints, exactly as recorded. */
const COUNTS: CaseFamily = {
  ids: /^checkpoint-(default-window|interval-2|window-10|window-10-interval-5)$/,
  replay: async ({ id, result }) => {
    const { run, world } = await runUpTo(id);
    await world.close();
    const {
      orderAroundCaughtUp,
      lastAllPos: _,
      ...counts
    } = z.looseObject({ orderAroundCaughtUp: z.array(z.string()) }).parse(result);
    expect(countsOf(run)).toEqual(counts);
    const around = run.seen.findIndex(({ kind }) => kind === 'caughtUp');
    const before = orderAroundCaughtUp.indexOf('caughtUp');
    const kinds = run.seen.slice(around - before).map(({ kind }) => kind);
    expect(kinds.slice(0, orderAroundCaughtUp.length)).toEqual(
      orderAroundCaughtUp.map((entry) => entry.split('@')[0]),
    );
  },
};

function countsOf({ seen, all }: Run): Record<string, unknown> {
  const checkpoints = seen.filter(({ kind }) => kind === 'C');
  const live = seen.findIndex(({ kind }) => kind === '--live');
  const commits = checkpoints.map(({ at }) => at.commit);
  const ordered = seen.filter(({ kind }) => kind === 'C' || kind === 'E');
  const places = ordered.flatMap(({ kind, at }, n) => {
    if (kind !== 'C') return [];
    const delivered = ordered.slice(0, n).findLast((one) => one.kind === 'E');
    const next = ordered.slice(n).find((one) => one.kind === 'E');
    return [{ at, delivered: delivered?.at.commit, next: next?.at.commit }];
  });
  return {
    checkpoints: checkpoints.length,
    checkpointsBeforeLive: seen.slice(0, live).filter(({ kind }) => kind === 'C').length,
    checkpointsLive: seen.slice(live).filter(({ kind }) => kind === 'C').length,
    strictlyIncreasing: commits.every((commit, n) => n === 0 || commit > (commits[n - 1] ?? commit)),
    positionIsOfARealEvent: commits.filter((commit) => all.includes(commit)).length,
    commitEqualsPrepare: checkpoints.filter(({ at }) => at.commit === at.prepare).length,
    checkpointNeverBehindDeliveredEvent: places.every(({ at, delivered }) => at.commit >= (delivered ?? -1n)),
    checkpointBelowNextDelivered: places.every(({ at, next }) => next === undefined || at.commit < next),
    equalToLastDelivered: places.filter(({ at, delivered }) => at.commit === delivered).length,
  };
}

/** Every checkpoint is a place to go on from: nothing rare is lost or repeated, and `$all` can be read from it. */
const RESUME: CaseFamily = {
  ids: /^checkpoint-(resume|readAll)-/,
  replay: async (recorded) => {
    const { run, world } = await runUpTo(recorded.id.replace(/-(resume|readAll)-/, '-'));
    try {
      await (recorded.id.includes('resume') ? resume(world, run, recorded) : readFrom(world, run));
    } finally {
      await world.close();
    }
  },
};

async function resume(world: World, run: Run, { result }: RecordedCase): Promise<void> {
  const checkpoints = run.seen.filter(({ kind }) => kind === 'C');
  const { tried } = z.object({ tried: z.number() }).parse(result);
  const step = Math.max(1, Math.floor(checkpoints.length / tried));
  for (const { at } of checkpoints.filter((_, n) => n % step === 0)) {
    const got: bigint[] = [];
    let level = false;
    const filter = eventTypeFilter({ prefixes: ['Rare'] });
    const subscription = world.client.subscribeToAll({ filter, fromPosition: at });
    subscription.on('data', ({ event }) => got.push(event?.position?.commit ?? 0n));
    subscription.on('caughtUp', () => {
      level = true;
    });
    const expected = run.rare.filter((commit) => commit > at.commit);
    await until('caught up', () => level && got.length >= expected.length);
    await subscription.unsubscribe();
    expect(got).toEqual(expected);
  }
}

async function readFrom({ client }: World, run: Run): Promise<void> {
  for (const { kind, at } of run.seen) {
    if (kind !== 'C' || at.commit === 0n) continue;
    const first: (bigint | undefined)[] = [];
    for await (const { event } of client.readAll({ fromPosition: at, maxCount: 1 })) {
      first.push(event?.position?.commit);
    }
    expect(first).toEqual([at.commit]);
  }
}

/** With nothing to deliver, checkpoints come all the same: one per 32 records, also live. */
const NOTHING: CaseFamily = {
  ids: /^checkpoint-(nothing-matches|sample)$/,
  replay: async ({ id }) => {
    const world = await World.open();
    try {
      const rare = id.endsWith('sample') ? 50 : Number.POSITIVE_INFINITY;
      await write(world, 320, (n) => (n % rare === 1 ? 'Rare' : 'Common'));
      const { seen, all } = await subscribeAndWrite(world, {});
      const commits = seen.filter(({ kind }) => kind === 'C').map(({ at }) => at.commit);
      expect(commits).toHaveLength(Math.floor(all.length / 32));
      for (const { kind, at } of seen.slice(
        0,
        seen.findIndex((one) => one.kind === 'caughtUp'),
      )) {
        if (kind !== 'C') continue;
        const delivered = seen.some((one) => one.kind === 'E' && one.at.commit === at.commit);
        expect(at.prepare).toBe(delivered ? at.commit : 0n);
      }
    } finally {
      await world.close();
    }
  },
};

export const CHECKPOINTS: readonly CaseFamily[] = [COUNTS, RESUME, NOTHING];
