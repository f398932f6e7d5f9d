import { readdir, readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { BenchServer } from './rival-process.js';
import { withClient } from './service-log.js';

/** Processor time in nanoseconds so far. Zeros where the system does not tell (no Linux, or another machine). */
export interface ProcessorTime {
  /** Of the thread that serves. */
  readonly serving: number;
  /** Of all other threads of the process. */
  readonly others: number;
  /** Of PostgreSQL: the sessions of the database and the server's own processes. */
  readonly database: number;
}

const sessionRows = z.array(z.strictObject({ pid: z.number() }));
const SESSIONS = `select pid from pg_stat_activity
  where pid <> pg_backend_pid() and (datname = current_database() or datname is null)`;

/** What a server and its database took so far; sessions that ended meanwhile are missing. */
export async function processorTime({ pid }: BenchServer, databaseUrl: string): Promise<ProcessorTime> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const times = await Promise.all(
    threads.map(async (thread) => ({ thread, time: await timeIn(`/proc/${pid}/task/${thread}`) })),
  );
  const { rows } = await withClient(databaseUrl, (client) => client.query(SESSIONS));
  const sessions = sessionRows.parse(rows);
  const database = await Promise.all(sessions.map((session) => timeIn(`/proc/${session.pid}`)));
  const isServing = ({ thread }: { readonly thread: string }): boolean => thread === String(pid);
  return {
    serving: total(times.filter((each) => isServing(each)).map(({ time }) => time)),
    others: total(times.filter((each) => !isServing(each)).map(({ time }) => time)),
    database: total(database),
  };
}

/** Microseconds of one piece of work, of `count` that were done between two readings. */
export function microsecondsEach(before: ProcessorTime, after: ProcessorTime, count: number): ProcessorTime {
  const each = (part: keyof ProcessorTime): number => (after[part] - before[part]) / 1_000 / count;
  return { serving: each('serving'), others: each('others'), database: each('database') };
}

/** Time on a processor of a task that may have ended (Linux: Documentation/scheduler/sched-stats). */
async function timeIn(folder: string): Promise<number> {
  const text = await readFile(`${folder}/schedstat`, 'utf8').catch(() => '0');
  return Number(text.split(' ', 1)[0]);
}

function total(times: readonly number[]): number {
  return times.reduce((sum, time) => sum + time, 0);
}
