import pg from 'pg';

/** How many events the log holds whose stream begins like this, and how many different Stripe events those are. */
export interface LogCount {
  readonly events: number;
  readonly stripeEvents: number;
}

/** Counts in the service's own tables, over a connection that the service does not know. */
export async function countInLog(databaseUrl: string, tag: string): Promise<LogCount> {
  const { rows } = await withClient(databaseUrl, (client) =>
    client.query<{ events: number; stripe_events: number }>(
      `select count(*)::int as events, count(distinct metadata::json ->> 'stripeEventId')::int as stripe_events
       from tenure_log.event where starts_with(stream, $1)`,
      [`tenure.subscription-sub_${tag}`],
    ),
  );
  const [row] = rows;
  return { events: row?.events ?? 0, stripeEvents: row?.stripe_events ?? 0 };
}

/** Position of the newest event of the log. */
export async function lastPosition(databaseUrl: string): Promise<string> {
  const { rows } = await withClient(databaseUrl, (client) =>
    client.query<{ position: string }>(
      'select coalesce(max(position), 0)::text as position from tenure_log.event',
    ),
  );
  return rows[0]?.position ?? '0';
}

/** One connection for one piece of work. */
export async function withClient<T>(
  databaseUrl: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
