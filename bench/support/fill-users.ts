import pg from 'pg';
import { openEventStore } from '../../src/event-store/open-event-store.js';
import { type CopiedLives, recordCopies } from '../../test/support/copied-lives.js';

/** Prices of the plan file that the benchmarks serve. */
export const PRICES = { plus: 'price_plus_m', pro: 'price_pro_m' };
/** Events of each user that `fillUsers` makes. */
export const EVENTS_OF_A_USER = 5;
const GIVE_UP_AFTER_MS = 1_200_000;

/** A running service, and the headers of a caller that it knows. */
export interface FilledService {
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** Appends the first events of so many lives through the port, and waits until the service has folded them. */
export async function fillUsers(
  { port, headers }: FilledService,
  databaseUrl: string,
  lives: Pick<CopiedLives, 'users' | 'begin'>,
): Promise<void> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 8 });
  const onFault = (fault: unknown): void => {
    process.stderr.write(`${fault}\n`);
  };
  const store = await openEventStore(
    { eventStoreUrl: null, streamPrefix: 'tenure.' },
    { pool, databaseUrl, onFault },
  );
  try {
    const filling = { ...lives, prices: PRICES, events: EVENTS_OF_A_USER };
    const position = await recordCopies(store, 'tenure.', filling);
    const path = `http://127.0.0.1:${port}/v1/users/nobody/entitlements?minPosition=${position}`;
    await untilSo(async () => {
      const answer = await fetch(path, { headers });
      await answer.arrayBuffer();
      return answer.status === 200;
    });
  } finally {
    await store.close();
    await pool.end();
  }
}

/** Waits until something holds. */
export async function untilSo(holds: () => Promise<boolean>): Promise<void> {
  const began = performance.now();
  while (!(await holds())) {
    if (performance.now() - began > GIVE_UP_AFTER_MS) throw new Error('the service did not come so far');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
