/**
 * The floor of `ingest` on EventStoreDB: checks Stripe's signature, takes the event's id, and appends the body as one
 * event before it answers, in a stream named by that id. The event's UUID is made of it too, so a repeat stores nothing.
 * It decides nothing, folds nothing, orders nothing.
 */
import { v5 as uuidV5 } from 'uuid';
import { receiveWebhooks } from '../support/bare-receiver.js';
import { given } from '../support/rival-server.js';
import { BareClient } from './bare-client.js';

const prefix = given('BENCH_STREAM_PREFIX');
const client = new BareClient(given('BENCH_EVENTSTORE_URL'));

receiveWebhooks('bare append', (event, body) =>
  client.appendBytes(`${prefix}${event.id}`, {
    id: uuidV5(event.id, uuidV5.URL),
    type: event.type,
    data: Buffer.from(body, 'utf8'),
  }),
);
