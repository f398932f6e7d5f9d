import type { QueryConfig } from 'pg';
import type { EventEnvelope } from '../../events/event-envelope.js';
import { instant } from './statement-values.js';

/** What a subscription schedule is to bring a user, as it was asked for last. Times are Unix milliseconds and seconds. */
export interface PlanChangeRow {
  readonly userId: string;
  readonly subscription: string;
  readonly plan: string;
  readonly interval: string | null;
  readonly at: number;
  /** The second of Stripe's last answer about it: a schedule that left the subscription later is not this one's coming. */
  readonly askedAt: number;
}

/** Users of whom a batch changes what is to come; `null`: nothing is to come any more. */
export type PlanChangeRows = Map<string, PlanChangeRow | null>;

type PlanChangeEvent = Extract<EventEnvelope, { type: 'PlanChangeRequested' | 'PlanChangeWithdrawn' }>;

/**
 * What is to come after an event: what a schedule brings. A cancellation stands on the subscription itself, and what was asked
 * for at once is told by what Stripe says next.
 */
export function planChangeOf({ type, data }: PlanChangeEvent): PlanChangeRow | null {
  if (type === 'PlanChangeWithdrawn') return null;
  const { userId, subscription, plan, interval, at, schedule, askedAt } = data;
  if (at === null || schedule === null) return null;
  return { userId, subscription, plan, interval, at: at * 1_000, askedAt };
}

/** Statements that write what is to come. */
export function planChangeStatements(
  generation: number,
  rows: PlanChangeRows,
): readonly (() => QueryConfig)[] {
  const over = [...rows].flatMap(([userId, row]) => (row === null ? [userId] : []));
  const toCome = [...rows.values()].flatMap((row) => row ?? []);
  return [
    ...(over.length > 0 ? [() => removal(generation, over)] : []),
    ...(toCome.length > 0 ? [() => writing(generation, toCome)] : []),
  ];
}

function removal(generation: number, users: readonly string[]): QueryConfig {
  return {
    name: 'tenure-remove-plan-changes',
    text: 'delete from tenure.plan_change where generation = $1 and user_id = any($2)',
    values: [generation, users],
  };
}

function writing(generation: number, rows: readonly PlanChangeRow[]): QueryConfig {
  return {
    name: 'tenure-write-plan-changes',
    text: `insert into tenure.plan_change (generation, user_id, subscription, plan, label, at, asked_at)
           select $1, * from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::bigint[])
           on conflict (generation, user_id) do update
           set subscription = excluded.subscription, plan = excluded.plan, label = excluded.label, at = excluded.at,
             asked_at = excluded.asked_at`,
    values: [
      generation,
      rows.map(({ userId }) => userId),
      rows.map(({ subscription }) => subscription),
      rows.map(({ plan }) => plan),
      rows.map(({ interval }) => interval),
      rows.map(({ at }) => instant(at)),
      rows.map(({ askedAt }) => askedAt),
    ],
  };
}
