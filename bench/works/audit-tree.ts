import { z } from 'zod';
import { PostgresEventStore } from '../../src/event-store/postgres/postgres-event-store.js';
import { openServiceDatabase } from '../../src/start/service-database.js';
import { recordCopies } from '../../test/support/copied-lives.js';
import { generatedLog } from '../../test/support/generated-log.js';
import { randomFrom } from '../../test/support/lives.js';
import { treeKeeper } from '../../test/support/tree-keeper.js';
import { limitRow, median, type Note, type Row, throughputRow, type WorkReport } from '../report.js';
import type { BenchContext } from '../support/bench-context.js';
import { forkTypeScript, nextMessage } from '../support/child.js';
import { expectEqual } from '../support/expect-equal.js';
import { EVENTS_OF_A_USER, PRICES } from '../support/fill-users.js';

/** New events of a checkpoint, how often one is signed, and the limit for it. */
const ADDED = 1_000;
const SAMPLES = 11;
const LIMIT_MS = 50;
const LEAST = 0.5;

type Context = Pick<BenchContext, 'database' | 'effort' | 'say'>;

/** Logs of three lengths, ten times longer each: what a checkpoint of 1,000 new events takes, and how fast each is verified. */
export async function benchAuditTree(context: Context): Promise<WorkReport> {
  const most = Number(process.env.AUDIT_TREE_EVENTS ?? context.effort.auditTreeEvents);
  const rows: Row[] = [];
  const notes: Note[] = [];
  const lengths = [most / 100, most / 10, most].map((length) => Math.ceil(length / EVENTS_OF_A_USER));
  for (const users of lengths) {
    const report = await benchLog(context, users, users === lengths.at(-1) ? context.effort.rounds : 1);
    rows.push(...report.rows);
    notes.push(...report.notes);
  }
  return { rows, notes };
}

async function benchLog(context: Context, users: number, rounds: number): Promise<WorkReport> {
  const { database, say } = context;
  const events = users * EVENTS_OF_A_USER;
  const url = await database.create(`audit_tree_${users}`);
  const { pool, close } = await openServiceDatabase({
    url,
    eventStoreUrl: null,
    onIdleFault: (fault) => console.error(fault),
  });
  const store = new PostgresEventStore(pool, { session: { connectionString: url }, onFault: console.error });
  try {
    const filling = await timed(() =>
      recordCopies(store, 'tenure.', { users, prices: PRICES, events: EVENTS_OF_A_USER, begin: 'earlier' }),
    );
    const isLogKnown = async () => (await store.head()) !== null;
    const keeper = treeKeeper({ pool, store, isLogKnown });
    const building = await timed(() => keeper.keepUp());
    say(`  ${events} events: filled in ${filling.toFixed(1)} s, their tree in ${building.toFixed(1)} s`);
    await database.settle();
    const added = generatedLog({ events: ADDED * SAMPLES, customers: 100, random: randomFrom(users) });
    const signing: number[] = [];
    for (let sample = 0; sample < SAMPLES; sample += 1) {
      const page = Array.from({ length: ADDED }, () => added.next().value).filter(
        (each) => each !== undefined,
      );
      await store.appendInOrder(
        page.map((event) => ({
          stream: event.stream,
          expected: event.revision === 0 ? 'no_stream' : event.revision - 1,
          events: [event],
        })),
      );
      signing.push((await timed(() => keeper.keepUp())) * 1_000);
    }
    const most = Math.max(...signing);
    say(`  checkpoints: ${median(signing).toFixed(1)} ms, ${most.toFixed(1)} ms at most`);
    await database.settle();
    const read = await benchReading(url, events + ADDED * SAMPLES, rounds, say);
    const name = events.toLocaleString('en-US');
    return {
      rows: [
        limitRow({
          work: `checkpoint of ${ADDED} new events behind ${name}`,
          ours: median(signing),
          against: 'the limit',
          theirs: LIMIT_MS,
        }),
        throughputRow({
          work: `verify ${name} events`,
          ours: read.verify.rate,
          against: 'reading and hashing the rows',
          theirs: read.hash.rate,
          least: LEAST,
          aim: null,
        }),
      ],
      notes: [
        {
          what: `audit-tree: tree of ${name} events made`,
          value: `${(events / building).toFixed(0)} events/s`,
        },
        { what: `audit-tree: longest checkpoint behind ${name}`, value: `${most.toFixed(1)} ms` },
        {
          what: `audit-tree: most memory of a process that verifies ${name}, and that hashes them`,
          value: `${read.verify.megabytes.toFixed(0)} MB, ${read.hash.megabytes.toFixed(0)} MB`,
        },
      ],
    };
  } finally {
    await store.close();
    await close();
  }
}

const reading = z.object({ events: z.number(), seconds: z.number(), megabytes: z.number() });

/** Both sides read the whole log in turns, each time in a process of its own. */
async function benchReading(url: string, events: number, rounds: number, say: Context['say']) {
  const read = async (side: 'verify' | 'hash') => {
    const child = forkTypeScript('log/read-log.ts', { BENCH_LOG_URL: url, BENCH_LOG_SIDE: side });
    const told = reading.parse(await nextMessage(child, `the reader of the log (${side})`));
    expectEqual(`events that ${side} read`, told.events, events);
    return { rate: told.events / told.seconds, megabytes: told.megabytes };
  };
  type Side = Awaited<ReturnType<typeof read>>;
  const [ours, theirs]: [Side[], Side[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    const [hash, verify] = [await read('hash'), await read('verify')];
    theirs.push(hash);
    ours.push(verify);
    say(
      `  ${events} events: ${verify.rate.toFixed(0)}/s verified, ${hash.rate.toFixed(0)}/s read and hashed`,
    );
  }
  const middle = (sides: readonly Side[]): Side => ({
    rate: median(sides.map(({ rate }) => rate)),
    megabytes: Math.max(...sides.map(({ megabytes }) => megabytes)),
  });
  return { verify: middle(ours), hash: middle(theirs) };
}

/** Seconds. */
async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1_000;
}
