import type { QueryConfig } from 'pg';
import type { UsageReportedData } from '../../events/usage.events.js';

/** The newest report of each limit of each user in a batch, by user and limit. */
export type UsageRows = Map<string, UsageReportedData>;

/** Notes a report; one of before of the same limit is no more. */
export function noteUsage(rows: UsageRows, report: UsageReportedData): void {
  rows.set(`${report.userId}\n${report.limit}`, report);
}

/** Statements that write them. */
export function usageStatements(generation: number, rows: UsageRows): readonly (() => QueryConfig)[] {
  return rows.size === 0 ? [] : [() => usageStatement(generation, [...rows.values()])];
}

function usageStatement(generation: number, rows: readonly UsageReportedData[]): QueryConfig {
  return {
    name: 'tenure-write-usage',
    text: `insert into tenure.usage (generation, user_id, key, value)
           select $1, * from unnest($2::text[], $3::text[], $4::bigint[])
           on conflict (generation, user_id, key) do update set value = excluded.value`,
    values: [
      generation,
      rows.map(({ userId }) => userId),
      rows.map(({ limit }) => limit),
      rows.map(({ value }) => value),
    ],
  };
}
