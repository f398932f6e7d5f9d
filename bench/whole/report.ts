import { limitRow, type Note, quantile, type Row, type WorkReport } from '../report.js';
import { withClient } from '../support/service-log.js';
import type { Received, WholeLoad } from './protocol.js';
import { sizesNote } from './sizes.js';
import { type Outcome, percentile, type Span, STAGES } from './stages.js';

const MEMORY_LIMIT_MB = 400;
const VISIBLE_LIMIT_MS = 50;
const PUSHED_LIMIT_MS = 50;

/** Processor seconds of each who took part, in so many seconds by the clock. */
export interface Costs {
  readonly seconds: number;
  readonly processors: readonly { readonly name: string; readonly seconds: number }[];
}

export interface Rebuild {
  readonly events: number;
  /** Until the build was level, and from there until it was swapped. */
  readonly foldSeconds: number;
  readonly swapSeconds: number;
}

/** What the database takes, in bytes with indices: the log, and all else. */
export interface Room {
  readonly events: number;
  readonly log: number;
  readonly readModels: number;
}

/** All that a run of the whole has seen. */
export interface Seen {
  readonly users: number;
  readonly streams: number;
  readonly rate: number;
  readonly spans: readonly Span[];
  readonly outcome: Outcome;
  readonly whole: WholeLoad;
  readonly received: Received;
  readonly idle: Costs;
  readonly steady: Costs;
  readonly rebuild: Rebuild;
  readonly startSeconds: number;
  /** From the end of the load until the last message came. */
  readonly drainSeconds: number;
  /** Resident memory in MB: at most before anything was rebuilt, at most of all, and at the end. */
  readonly instances: readonly {
    readonly name: string;
    readonly steady: number;
    readonly most: number;
    readonly newest: number;
  }[];
  readonly postgresMegabytes: number | null;
  readonly redisMegabytes: number;
  readonly room: Room;
}

export async function roomOf(databaseUrl: string): Promise<Room> {
  const { rows } = await withClient(databaseUrl, (client) =>
    client.query<Room>(
      `select (select count(*) from tenure_log.event)::float8 as events,
         coalesce(sum(pg_total_relation_size(c.oid)) filter (where n.nspname = 'tenure_log'), 0)::float8 as log,
         coalesce(sum(pg_total_relation_size(c.oid)) filter (where n.nspname <> 'tenure_log'), 0)::float8 as "readModels"
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where c.relkind = 'r' and n.nspname in ('tenure_log', 'tenure')`,
    ),
  );
  const [room] = rows;
  if (room === undefined) throw new Error('a database without a size');
  return room;
}

/** Rows for what has a limit; notes, and the tables of `docs/OPERATIONS.md` and `docs/SCALE.md` among them, for all else. */
export function reportOf(seen: Seen): WorkReport {
  return {
    rows: rowsOf(seen),
    notes: [...costNotes(seen), ...stageNotes(seen), ...otherNotes(seen), sizesNote(seen)],
  };
}

function rowsOf({ spans, outcome, instances, users, streams, rate }: Seen): readonly Row[] {
  const [steady] = spans;
  if (steady === undefined) throw new Error('nothing was measured');
  const where = `${users} users, ${streams} streams, ${rate} webhooks/s`;
  const p99 = (stage: 'visible' | 'pushed'): number => quantile(outcome.of(steady, stage).sinceCommit, 0.99);
  return [
    limitRow({
      work: `the whole (${where}): committed → visible, p99`,
      ours: p99('visible'),
      against: 'the limit',
      theirs: VISIBLE_LIMIT_MS,
    }),
    limitRow({
      work: 'the whole: committed → SSE, p99',
      ours: p99('pushed'),
      against: 'the limit',
      theirs: PUSHED_LIMIT_MS,
    }),
    ...instances.map(({ name, steady: ours }) => ({
      ...limitRow({
        work: `the whole: memory of the ${name}, without a rebuild`,
        ours,
        against: 'the limit',
        theirs: MEMORY_LIMIT_MB,
      }),
      unit: 'MB',
    })),
  ];
}

/** A row of a markdown table for each process, as `docs/OPERATIONS.md` has it. */
function costNotes(seen: Seen): readonly Note[] {
  const { idle, steady, rate, instances, postgresMegabytes, redisMegabytes } = seen;
  const memory = new Map<string, string>([
    ['PostgreSQL', postgresMegabytes === null ? '–' : `${postgresMegabytes}`],
    ['Redis', redisMegabytes.toFixed(0)],
  ]);
  for (const { name, steady: before, most, newest } of instances) {
    memory.set(name, `${before}; ${most} with a rebuild, ${newest} after it`);
  }
  const lines = steady.processors.map(({ name, seconds }, n) => {
    const share = seconds / steady.seconds;
    const without = (idle.processors[n]?.seconds ?? 0) / idle.seconds;
    const cells = [
      name,
      memory.get(name) ?? '–',
      without.toFixed(2),
      share.toFixed(2),
      ((share / rate) * 1_000).toFixed(2),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    {
      what: 'the whole: processes',
      value: `\n| process | memory at most, MB | cores with streams alone | cores at ${rate} webhooks/s | ms of a core a webhook |\n| --- | --- | --- | --- | --- |\n${lines.join('\n')}`,
    },
  ];
}

/** For each part of the load how long payments took to each stage, since the webhook was due and since its commit. */
function stageNotes({ spans, outcome, whole }: Seen): readonly Note[] {
  const table = spans.map((span) => {
    const lines = STAGES.map((stage) => {
      const { sinceDue, sinceCommit } = outcome.of(span, stage);
      const cells = [0.5, 0.99, 1].flatMap((part) => [
        percentile(sinceDue, part),
        percentile(sinceCommit, part),
      ]);
      return `| ${stage} | ${cells.join(' | ')} | ${sinceDue.length} |`;
    });
    const seconds = ((span.until - span.from) / 1_000).toFixed(0);
    return {
      what: `the whole: ${span.name} (${seconds} s), ms since the webhook was due and since its commit`,
      value: `\n| until | p50 due | p50 commit | p99 due | p99 commit | most due | most commit | of |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n${lines.join('\n')}`,
    };
  });
  const reads = spans.map((span) => {
    const took = whole.reads
      .filter(({ due }) => due >= span.from && due < span.until)
      .map((read) => read.took);
    return {
      what: `the whole: ${span.name}, reads of other users`,
      value: `p50 ${percentile(took, 0.5)} ms, p99 ${percentile(took, 0.99)} ms, most ${percentile(took, 1)} ms of ${took.length}`,
    };
  });
  return [...table, ...reads];
}

function otherNotes(seen: Seen): readonly Note[] {
  const { whole, received, outcome, rebuild, room, users } = seen;
  const seconds = rebuild.foldSeconds;
  return [
    { what: 'the whole: a third instance ready after', value: `${seen.startSeconds.toFixed(1)} s` },
    {
      what: 'the whole: a rebuild under that load',
      value: `${rebuild.events} events in ${seconds.toFixed(0)} s (${(rebuild.events / seconds).toFixed(0)}/s), compared and swapped in ${rebuild.swapSeconds.toFixed(1)} s`,
    },
    {
      what: 'the whole: outgoing webhooks',
      value: `${received.taken} taken, ${received.repeated} repeated, ${received.refused} refused; the last ${seen.drainSeconds.toFixed(1)} s behind the end of the load`,
    },
    {
      what: 'the whole: changes told with a later one of the same user',
      value: `${outcome.joined.pushed} of streams, ${outcome.joined.sent} of outgoing webhooks; of ${whole.payments.length}, none missed or out of order`,
    },
    {
      what: 'the whole: the load itself',
      value: `event loop late by ${whole.ownDelay.toFixed(1)} ms at p99; ${whole.looks} looks for what was paid, ${whole.again} requests sent again (503, or a connection that was closed)`,
    },
    {
      what: 'the whole: room in the database',
      value: `${room.events} events: log ${(room.log / room.events).toFixed(0)} bytes an event, the rest ${(room.readModels / room.events).toFixed(0)} bytes an event and ${(room.readModels / users).toFixed(0)} a user (two generations)`,
    },
  ];
}
