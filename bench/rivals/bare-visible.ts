/**
 * The floor of `freshness`: the least that shows in a read what a webhook has committed. A receiver like `bare-insert`, whose one
 * `INSERT` notifies in the same statement; whoever listens selects the row and keeps it; `GET` is answered from what is kept.
 * It decides, folds and orders nothing, and a purchase is a plan of one name.
 */
import pg from 'pg';
import { receiveWebhooks } from '../support/bare-receiver.js';
import { complain, given } from '../support/rival-server.js';

const PATH = /^\/v1\/users\/user_(\w+)\/entitlements$/;
const CHANNEL = 'bare_purchase';
const connectionString = given('BENCH_DATABASE_URL');
const bearer = `Bearer ${given('BENCH_KEY')}`;

const pool = new pg.Pool({ connectionString, max: 16 });
await pool.query(
  'create table if not exists bare_purchase (id text primary key, type text not null, body text not null)',
);

const shown = new Set<string>();
const listener = new pg.Client({ connectionString });
await listener.connect();
listener.on('notification', ({ payload }) => {
  pool
    .query<{ subscription: string }>({
      name: 'look',
      text: `select body::json #>> '{data,object,id}' as subscription from bare_purchase where id = $1`,
      values: [payload],
    })
    .then(({ rows }) => {
      for (const { subscription } of rows) shown.add(subscription);
    }, complain);
});
await listener.query(`listen ${CHANNEL}`);

receiveWebhooks(
  'bare visible',
  async (event, body) => {
    await pool.query({
      name: 'insert',
      text: `with made as (insert into bare_purchase (id, type, body) values ($1, $2, $3) on conflict do nothing returning id)
             select pg_notify('${CHANNEL}', id) from made`,
      values: [event.id, event.type, body],
    });
  },
  (request, response) => {
    if (request.headers.authorization !== bearer) {
      response.writeHead(401, { 'content-length': 0 }).end();
      return;
    }
    const [, name] = PATH.exec(request.url ?? '') ?? [];
    const answer = JSON.stringify({ plan: shown.has(`sub_${name}`) ? 'plus' : 'free' });
    response
      .writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length })
      .end(answer);
  },
);
