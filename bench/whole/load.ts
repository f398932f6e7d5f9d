/** The load of the whole, a process of its own: webhooks by the clock, streams that listen, and reads on two instances. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { ConnectionPool } from '../load/connection-pool.js';
import { EventListener } from '../load/event-listener.js';
import { type HttpAnswer, requestBytes } from '../load/http-connection.js';
import {
  GO,
  instant,
  type LoadReply,
  type Payment,
  STOP,
  type WholeJob,
  type WholeLoad,
  wholeJobSchema,
} from './protocol.js';
import { turn, turningUser } from './turning-lives.js';

/** One in this many payments is asked for until it shows; a look each so many milliseconds. */
const WATCH_ONE_IN = 10;
const LOOK_EVERY_MS = 2;
/** After this long a payment counts as lost to the reader. */
const GIVE_UP_AFTER_MS = 60_000;
const CONNECTIONS = 16;
/** Pause before a request is sent again that was answered 503 or whose connection was closed, as Stripe and pages do. */
const AGAIN_AFTER_MS = 200;
/** Streams that are opened at once. */
const OPENED_AT_ONCE = 50;

const snapshotSchema = z.looseObject({ revocationVersion: z.number() });

let going = new AbortController();
let stopping = new AbortController();

process.on('message', (message) => {
  if (message === GO) going.abort();
  else if (message === STOP) stopping.abort();
  else void answer(message);
});

async function answer(message: unknown): Promise<void> {
  going = new AbortController();
  stopping = new AbortController();
  try {
    const job = wholeJobSchema.parse(message);
    const listeners = await listen(job);
    tell({ ready: true });
    while (!going.signal.aborted) await pause(5);
    tell({ done: await run(job, listeners) });
  } catch (error) {
    tell({ error: error instanceof Error ? error.message : String(error) });
  }
}

function tell(reply: LoadReply): void {
  process.send?.(reply);
}

async function listen({ ports, streams, tag, adminKey }: WholeJob): Promise<readonly EventListener[]> {
  const listeners: EventListener[] = [];
  while (listeners.length < streams) {
    const next = Math.min(OPENED_AT_ONCE, streams - listeners.length);
    const opened = Array.from({ length: next }, (_, n) => {
      const user = listeners.length + n;
      return EventListener.open(ports[user % 2] ?? 0, turningUser(tag, user), `Bearer ${adminKey}`);
    });
    listeners.push(...(await Promise.all(opened)));
  }
  return listeners;
}

async function run(job: WholeJob, listeners: readonly EventListener[]): Promise<WholeLoad> {
  const pools = job.ports.map((port) => new ConnectionPool(port));
  for (const pool of pools) await pool.fill(CONNECTIONS);
  const begun = listeners.map(({ versions }) => versions[0] ?? 0);
  const payments: Payment[] = [];
  const reads: WholeLoad['reads'] = [];
  let [looks, again] = [0, 0];
  const send = async (at: number, request: Buffer): Promise<HttpAnswer> => {
    const deadline = instant() + GIVE_UP_AFTER_MS;
    for (;;) {
      try {
        const answer = await poolAt(at).send(request);
        if (answer.status !== 503) return answer;
      } catch (error) {
        if (instant() > deadline) throw error;
      }
      if (instant() > deadline) throw new Error(`answered 503 for ${GIVE_UP_AFTER_MS} ms`);
      again += 1;
      await pause(AGAIN_AFTER_MS);
    }
  };
  const headers = { authorization: `Bearer ${job.adminKey}` };
  const snapshotOf = async (userId: string, readAt: number): Promise<string> => {
    const path = `/v1/users/${userId}/entitlements`;
    const { status, body } = await send(readAt, requestBytes('GET', path, headers, ''));
    if (status !== 200) throw new Error(`GET entitlements answered ${status}: ${body.slice(0, 200)}`);
    return body;
  };
  const poolAt = (at: number): ConnectionPool => {
    const pool = pools[at];
    if (pool === undefined) throw new RangeError('there are two instances');
    return pool;
  };

  const pay = async (number: number, due: number): Promise<void> => {
    const user = number % job.streams;
    const round = Math.floor(number / job.streams);
    const [sentTo, readAt] = [(user + round) % 2, Math.floor(number / WATCH_ONE_IN) % 2];
    const { status } = await send(sentTo, turn(job, user, round, Date.now()));
    const answered = instant();
    if (status !== 200) throw new Error(`a webhook was answered ${status}`);
    const version = (begun[user] ?? 0) + round + 1;
    let visible: number | null = null;
    while (number % WATCH_ONE_IN === 0 && visible === null) {
      const body = await snapshotOf(turningUser(job.tag, user), readAt);
      const at = instant();
      looks += 1;
      if (snapshotSchema.parse(JSON.parse(body)).revocationVersion >= version) visible = at;
      else if (at - answered > GIVE_UP_AFTER_MS) throw new Error(`a payment of ${user} did not show`);
      else await pause(LOOK_EVERY_MS);
    }
    payments.push({ user, version, due, answered, visible, readAt, sentTo });
  };
  const read = async (number: number, due: number): Promise<void> => {
    // A stride that shares no factor with their number goes through all readers.
    await snapshotOf(`u${(number * 7_919) % job.readers}`, number % 2);
    reads.push({ due, took: instant() - due });
  };

  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const { signal } = stopping;
  await Promise.all([paced(job.rate, pay, signal), paced(job.reads, read, signal)]);
  await untilAllTold(listeners, payments);
  delay.disable();
  for (const pool of pools) pool.close();
  for (const listener of listeners) listener.close();
  const pushed = listeners.flatMap(({ versions, came }, user) =>
    versions.map((version, n) => ({ user, version, at: came[n] ?? 0 })).slice(1),
  );
  return { payments, pushed, reads, looks, again, ownDelay: delay.percentile(99) / 1e6 };
}

/** Begins what is due by the clock, whoever is slow, until `signal`; comes back when all of it has ended. */
async function paced(
  rate: number,
  work: (number: number, due: number) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const began = instant();
  let failure: unknown = null;
  const underWay = new Set<Promise<void>>();
  let number = 0;
  while (!signal.aborted && failure === null) {
    const dueNow = Math.floor(((instant() - began) / 1_000) * rate);
    for (; number < dueNow; number += 1) {
      const doing = work(number, began + (number / rate) * 1_000).catch((error: unknown) => {
        failure ??= error;
      });
      underWay.add(doing);
      void doing.finally(() => underWay.delete(doing));
    }
    await pause(1);
  }
  await Promise.all(underWay);
  if (failure !== null) throw failure;
}

/** Waits until each stream was told the last version of its user. */
async function untilAllTold(
  listeners: readonly EventListener[],
  payments: readonly Payment[],
): Promise<void> {
  const last = new Map<number, number>();
  for (const { user, version } of payments) last.set(user, Math.max(version, last.get(user) ?? 0));
  const isTold = ([user, version]: readonly [number, number]): boolean =>
    (listeners[user]?.versions.at(-1) ?? 0) >= version;
  const deadline = instant() + GIVE_UP_AFTER_MS;
  while (![...last].every(isTold)) {
    if (instant() > deadline) {
      throw new Error(
        `${[...last].filter((each) => !isTold(each)).length} streams were not told the last change`,
      );
    }
    await pause(10);
  }
}
