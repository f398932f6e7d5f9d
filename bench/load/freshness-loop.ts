import { z } from 'zod';
import { cpuShare } from './closed-loop.js';
import { ConnectionPool } from './connection-pool.js';
import { requestBytes } from './http-connection.js';
import { type FreshnessJob, latencyOf, type Result } from './protocol.js';
import { signedWebhook, userOf } from './subscription-lives.js';

/** One in this many subscriptions is watched: its user is asked for until the purchase shows. */
const WATCH_ONE_IN = 5;
/** After this long an event counts as lost to the reader, in ms. */
const GIVE_UP_AFTER = 10_000;

const snapshotSchema = z.looseObject({ plan: z.string() });

/**
 * Sends first purchases at a fixed rate, by the clock: a slow answer delays none of the next (open loop). For some of
 * them a second connection asks for the user's entitlements again and again from the answer on, until the plan shows.
 * Times count from the answer (the event is committed then), and from when the webhook was *due*, which hides no stall.
 */
export async function runFreshness(job: FreshnessJob): Promise<Result> {
  const total = Math.round(job.rate * job.seconds);
  const now = Math.floor(Date.now() / 1000);
  const webhooks = Array.from({ length: total }, (_, number) => signedWebhook(job, number, 0, now));
  const senders = new ConnectionPool(job.port);
  const readers = new ConnectionPool(job.port);
  await senders.fill(job.connections);
  await readers.fill(job.connections);

  const latencies: number[] = [];
  const sinceAnswer: number[] = [];
  const sinceDue: number[] = [];
  const unexpected: Record<string, number> = {};

  const purchase = async (number: number, webhook: Buffer, due: number): Promise<void> => {
    const { status } = await senders.send(webhook);
    const answered = performance.now();
    if (status !== 200) {
      unexpected[status] = (unexpected[status] ?? 0) + 1;
      return;
    }
    latencies.push(answered - due);
    if (number % WATCH_ONE_IN !== 0) return;
    const shown = await untilShown(readers, entitlementsRequest(job, number), answered);
    sinceAnswer.push(shown - answered);
    sinceDue.push(shown - due);
  };

  const cpuBefore = process.cpuUsage();
  const began = performance.now();
  await new Promise<void>((resolve, reject) => {
    const purchases: Promise<void>[] = [];
    const tick = (): void => {
      const dueNow = Math.min(total, Math.floor(((performance.now() - began) / 1_000) * job.rate) + 1);
      for (let number = purchases.length; number < dueNow; number += 1) {
        const webhook = webhooks[number];
        if (webhook !== undefined) {
          purchases.push(purchase(number, webhook, began + (number / job.rate) * 1_000));
        }
      }
      if (purchases.length < total) setTimeout(tick, 1);
      else Promise.all(purchases).then(() => resolve(), reject);
    };
    tick();
  });

  const seconds = (performance.now() - began) / 1_000;
  const generatorCpu = cpuShare(cpuBefore, seconds);
  senders.close();
  readers.close();
  return {
    done: latencies.length,
    seconds,
    latency: latencyOf(latencies),
    unexpected,
    generatorCpu,
    visible: {
      samples: sinceAnswer.length,
      sinceAnswer: latencyOf(sinceAnswer),
      sinceDue: latencyOf(sinceDue),
    },
  };
}

function entitlementsRequest(job: FreshnessJob, number: number): Buffer {
  const path = `/v1/users/${userOf(job.tag, number)}/entitlements`;
  return requestBytes('GET', path, { authorization: `Bearer ${job.adminKey}` }, '');
}

/** When (by `performance.now()`) an answer showed the purchased plan. */
async function untilShown(readers: ConnectionPool, request: Buffer, from: number): Promise<number> {
  for (;;) {
    const { status, body } = await readers.send(request);
    const at = performance.now();
    if (status !== 200) throw new Error(`GET entitlements answered ${status}: ${body.slice(0, 200)}`);
    if (snapshotSchema.parse(JSON.parse(body)).plan === 'plus') return at;
    if (at - from > GIVE_UP_AFTER)
      throw new Error(`a purchase was not visible ${GIVE_UP_AFTER} ms after its commit`);
  }
}
