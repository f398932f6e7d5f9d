import type { Pool } from 'pg';
import { z } from 'zod';
import { inTransaction } from '../../../database/in-transaction.js';
import { type DriftReport, driftReportSchema } from './drift-report.js';
import { ReconciliationUnderWayError } from './errors.js';

/**
 * A reconciliation as it is in the database, whoever runs it. Plain data; times are RFC 3339. `afterwards` `report` is a dry
 * run. `gone` says what becomes of a live-mode subscription that Stripe no longer has; in test mode it ends. `events`,
 * `subscriptions`, `purchases`, `disputes`, `refunds` and (early fraud) `warnings` were looked at.
 */
export interface ReconciliationJob {
  readonly id: string;
  readonly afterwards: 'record' | 'report';
  readonly gone: 'end' | 'list';
  readonly phase: 'running' | 'done' | 'failed';
  readonly actor: string;
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly events: number;
  readonly subscriptions: number;
  readonly purchases: number;
  readonly disputes: number;
  readonly refunds: number;
  readonly warnings: number;
  /** Where the log and Stripe differed; `null` until it is over. */
  readonly report: DriftReport | null;
  /** Why it failed; `null` where it did not. */
  readonly failure: string | null;
}

/** How much was looked at. */
export type Looked = Pick<
  ReconciliationJob,
  'events' | 'subscriptions' | 'purchases' | 'disputes' | 'refunds' | 'warnings'
>;

export type AskedReconciliation = Pick<ReconciliationJob, 'afterwards' | 'gone' | 'actor'>;

const jobRow = z.object({
  id: z.string(),
  afterwards: z.enum(['record', 'report']),
  gone: z.enum(['end', 'list']),
  phase: z.enum(['running', 'done', 'failed']),
  actor: z.string(),
  started_at: z.date(),
  finished_at: z.date().nullable(),
  events: z.number(),
  subscriptions: z.number(),
  purchases: z.number(),
  disputes: z.number(),
  refunds: z.number(),
  warnings: z.number(),
  report: z.string().nullable(),
  failure: z.string().nullable(),
});
const untilRow = z.object({
  second: z.string().nullable().transform(secondIn),
  payments_second: z.string().nullable().transform(secondIn),
});
const dueRow = z.object({ due: z.boolean() });

/** The reconciliations in the database, and how far Stripe's events were looked through. */
export class ReconciliationJobs {
  constructor(private readonly pool: Pool) {}

  /** The one that is not over; `null` when all are. */
  async unfinished(): Promise<ReconciliationJob | null> {
    const { rows } = await this.pool.query('select * from tenure.reconciliation where finished_at is null');
    return rows[0] === undefined ? null : toJob(rows[0]);
  }

  /** `null` where there is none of this id, which may be any UUID. */
  async find(id: string): Promise<ReconciliationJob | null> {
    const { rows } = await this.pool.query('select * from tenure.reconciliation where id = $1', [id]);
    return rows[0] === undefined ? null : toJob(rows[0]);
  }

  /** Begins one of this id (a UUID), or finds it begun before. Nothing is asked yet. @throws ReconciliationUnderWayError */
  async begin(id: string, { afterwards, gone, actor }: AskedReconciliation): Promise<ReconciliationJob> {
    const { rows } = await this.pool.query(
      `insert into tenure.reconciliation (id, afterwards, gone, phase, actor) values ($1, $2, $3, 'running', $4)
       on conflict do nothing returning *`,
      [id, afterwards, gone, actor],
    );
    if (rows[0] !== undefined) return toJob(rows[0]);
    const before = await this.find(id);
    if (before === null) throw new ReconciliationUnderWayError();
    return before;
  }

  /** Whether none is under way and none that records was begun for so many hours (as many since there can be any). */
  async isDue(everyHours: number): Promise<boolean> {
    const { rows } = await this.pool.query(
      `select not exists (select from tenure.reconciliation where finished_at is null)
         and now() > coalesce((select max(started_at) from tenure.reconciliation where afterwards = 'record'), kept_since)
           + make_interval(secs => $1 * 3600) as due
       from tenure.reconciled_until`,
      [everyHours],
    );
    return rows[0] !== undefined && dueRow.parse(rows[0]).due;
  }

  /** Notes how far one is. */
  async progress(
    id: string,
    { events, subscriptions, purchases, disputes, refunds, warnings }: Looked,
  ): Promise<void> {
    await this.pool.query(
      `update tenure.reconciliation set events = $2, subscriptions = $3, purchases = $4, disputes = $5, refunds = $6,
         warnings = $7
       where id = $1`,
      [id, events, subscriptions, purchases, disputes, refunds, warnings],
    );
  }

  /**
   * Ends one, and keeps the second (Unix) up to which all events are recorded now, and disputes, refunds and warnings were
   * looked at; `null`: as far as before.
   */
  async done(id: string, report: DriftReport, until: number | null): Promise<void> {
    await inTransaction(this.pool, async (client) => {
      await client.query(
        `update tenure.reconciliation set phase = 'done', report = $2, finished_at = now() where id = $1`,
        [id, JSON.stringify(report)],
      );
      await client.query(
        `update tenure.reconciled_until
         set second = greatest(second, $1::bigint), payments_second = greatest(payments_second, $1::bigint)`,
        [until],
      );
    });
  }

  async failed(id: string, failure: string): Promise<void> {
    await this.pool.query(
      `update tenure.reconciliation set phase = 'failed', failure = $2, finished_at = now() where id = $1`,
      [id, failure],
    );
  }

  /**
   * The seconds (Unix) up to which Stripe's events were looked through, and what bears on payments; `null` before the first
   * time.
   */
  async reconciledUntil(): Promise<{ readonly events: number | null; readonly payments: number | null }> {
    const { rows } = await this.pool.query('select second, payments_second from tenure.reconciled_until');
    if (rows[0] === undefined) return { events: null, payments: null };
    const { second, payments_second } = untilRow.parse(rows[0]);
    return { events: second, payments: payments_second };
  }
}

function secondIn(text: string | null): number | null {
  return text === null ? null : Number(text);
}

function toJob(row: unknown): ReconciliationJob {
  const { started_at: startedAt, finished_at: finishedAt, report, ...job } = jobRow.parse(row);
  return {
    ...job,
    startedAt: startedAt.toISOString(),
    finishedAt: finishedAt?.toISOString() ?? null,
    report: report === null ? null : driftReportSchema.parse(JSON.parse(report)),
  };
}
