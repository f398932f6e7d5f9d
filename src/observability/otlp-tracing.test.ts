import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { call } from '../../test/support/http-call.js';
import { type ReceivedSpan, type TraceReceiver, traceReceiver } from '../../test/support/trace-receiver.js';
import { requestIdOf } from '../http/request-id.js';
import { traced } from '../http/traced.js';
import { openTracing } from './open-tracing.js';
import { appendSpanOf, traceOf } from './trace-parent.js';
import type { Tracing } from './tracing.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const STEPS = ['POST /deliveries', 'Record', 'append', 'fold', 'write rows'];
const IN_ORDER = { Record: 'POST /deliveries', append: 'Record', fold: 'append', 'write rows': 'fold' };

let receiver: TraceReceiver;
let serving: Tracing;
let folding: Tracing;
let server: Server;
let url: string;
const trouble: unknown[] = [];
const listener = { fails: (error: unknown) => trouble.push(error), works: () => undefined };

/** What serves and what folds trace apart, as two threads do: they share nothing but the event. */
beforeAll(async () => {
  receiver = await traceReceiver();
  serving = await openTracing({ endpoint: `${receiver.url}/`, part: 1, sendEveryMs: 10 }, listener);
  folding = await openTracing({ endpoint: receiver.url, part: 1, sendEveryMs: 10 }, listener);
  server = createServer(
    traced(
      (request, response) => {
        const correlationId = requestIdOf(request);
        const event = { id: `event of ${correlationId}`, type: 'Recorded', correlationId };
        serving
          .command('Record', correlationId, () => serving.append(event, async () => undefined))
          .then(() => {
            folding.events('fold', [event], Date.now()).below('write rows', Date.now());
            response.setHeader('x-request-id', correlationId).end();
          });
      },
      serving,
      () => '/deliveries',
    ),
  );
  await once(server.listen(0, '127.0.0.1'), 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await Promise.all([serving.close(), folding.close()]);
  server.close();
  await receiver.close();
});

async function deliver(headers: Record<string, string>): Promise<string> {
  const answer = await call(url, { method: 'POST', path: '/users/u1', headers });
  return String(answer.headers['x-request-id']);
}

/** The spans of a trace by name, once there are as many. */
async function spansOf(
  traceId: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, ReceivedSpan>> {
  const spans = await receiver.until(traceId, names.length);
  expect(spans.map(({ name }) => name).sort()).toEqual([...names].sort());
  return new Map(spans.map((span) => [span.name, span]));
}

/** The name of each span's parent; its id where the parent is none of these. */
function parents(spans: ReadonlyMap<string, ReceivedSpan>): Record<string, string | undefined> {
  const byId = new Map([...spans.values()].map(({ spanId, name }) => [spanId, name]));
  return Object.fromEntries(
    [...spans.values()].map(({ name, parentSpanId = '' }) => [name, byId.get(parentSpanId) ?? parentSpanId]),
  );
}

describe('A trace', () => {
  it('goes from the request to the row, and is made of the correlation id alone', async () => {
    await deliver({ 'x-request-id': 'delivery-1' });
    const spans = await spansOf(traceOf('delivery-1').traceId, STEPS);
    expect(parents(spans)).toEqual({ ...IN_ORDER, 'POST /deliveries': '' });
    expect(spans.get('append')?.spanId).toBe(appendSpanOf('event of delivery-1'));
  });

  it("is the caller's where one is named, and the request's id begins with it", async () => {
    const requestId = await deliver({ traceparent: `00-${TRACE}-${SPAN}-01` });
    expect(requestId).toMatch(new RegExp(`^${TRACE}-01-`));
    expect(parents(await spansOf(TRACE, STEPS))).toEqual({ ...IN_ORDER, 'POST /deliveries': SPAN });
  });

  it("of the events is linked to the caller's where the caller names its request as well", async () => {
    const theirs = 'a'.repeat(32);
    await deliver({ traceparent: `00-${theirs}-${SPAN}-01`, 'x-request-id': 'delivery-2' });
    const around = await spansOf(theirs, ['POST /deliveries', 'Record']);
    const ours = traceOf('delivery-2').traceId;
    const spans = await spansOf(ours, ['append', 'fold', 'write rows']);
    expect(parents(spans)).toEqual({ append: '', fold: 'append', 'write rows': 'fold' });
    expect(around.get('POST /deliveries')?.links).toMatchObject([{ traceId: ours }]);
    expect(spans.get('append')?.links).toMatchObject([
      { traceId: theirs, spanId: around.get('Record')?.spanId },
    ]);
  });

  it('is left out, to the row, where its caller does not sample it', async () => {
    const unwanted = 'b'.repeat(32);
    await deliver({ traceparent: `00-${unwanted}-${SPAN}-00` });
    await deliver({ 'x-request-id': 'delivery-3' });
    await spansOf(traceOf('delivery-3').traceId, STEPS);
    expect(receiver.spans.filter(({ traceId }) => traceId === unwanted)).toEqual([]);
  });

  it('that cannot be sent is told of once, and holds up nothing', async () => {
    const told: unknown[] = [];
    const lost = await openTracing(
      { endpoint: `${receiver.url}/nothing/here`, part: 1 },
      { fails: (error) => told.push(error), works: () => undefined },
    );
    for (const id of ['1', '2']) lost.events('fold', [{ id, type: 'Recorded', correlationId: id }], 0);
    await lost.close();
    expect(told).toHaveLength(1);
    expect(trouble).toEqual([]);
  });
});
