/**
 * The floor of `ingest`: the least that can be called a durable webhook receiver. Checks Stripe's signature, takes the
 * event's id, and commits the body as one row before it answers. It decides nothing, folds nothing, orders nothing.
 */
import pg from 'pg';
import { receiveWebhooks } from '../support/bare-receiver.js';
import { given } from '../support/rival-server.js';

const pool = new pg.Pool({ connectionString: given('BENCH_DATABASE_URL'), max: 16 });
await pool.query(
  'create table if not exists bare_event (id text primary key, type text not null, body text not null)',
);

receiveWebhooks('bare insert', async (event, body) => {
  await pool.query({
    name: 'insert',
    text: 'insert into bare_event (id, type, body) values ($1, $2, $3) on conflict do nothing',
    values: [event.id, event.type, body],
  });
});
