import pg from 'pg';
import { DeadlineClient, SHORT } from './deadlines.js';
import { isNoAnswer } from './transient.js';

/**
 * A pool whose connections, statements and goodbyes end in time. `onFault` hears of idle connections that broke or were
 * thrown away: the pool makes new ones by itself.
 */
export function openPool(config: pg.PoolConfig, onFault: (error: Error) => void): pg.Pool {
  const pool = new pg.Pool(config);
  pool.on('error', onFault);
  throwAwayTogether(pool);
  return pool;
}

const openOf = new WeakMap<pg.Pool, ReadonlySet<DeadlineClient>>();

/** Breaks off every connection of a pool from `openPool`, whatever they are used for: who waits on one is told `why`. */
export function cutPool(pool: pg.Pool, why: Error): void {
  for (const client of openOf.get(pool) ?? []) client.cut(why);
}

/**
 * Where one connection gave no answer in time, the idle ones that were not heard of since before its question are thrown
 * away with it, so that a network that was silent costs one time-out, not one for each connection. A connection that is
 * given back while it still waits for an answer is never used again.
 */
export function throwAwayTogether(pool: pg.Pool): void {
  const open = new Set<DeadlineClient>();
  openOf.set(pool, open);
  pool.on('connect', (client) => {
    if (client instanceof DeadlineClient) open.add(client);
  });
  pool.on('remove', (client) => {
    if (client instanceof DeadlineClient) open.delete(client);
  });
  const idleSince = new Map<pg.PoolClient, number>();
  pool.on('acquire', (client) => idleSince.delete(client));
  pool.on('remove', (client) => idleSince.delete(client));
  pool.on('release', (given, client) => {
    const isLeftWaiting = client instanceof DeadlineClient && client.awaitedAnswer !== null;
    if (isLeftWaiting) void client.end(); // the pool sees that it ends, and forgets it
    const fault: unknown = given; // nothing, or what failed, or `true`: to be thrown away
    if (!fault && !isLeftWaiting) idleSince.set(client, performance.now());
    else if (fault instanceof Error ? isNoAnswer(fault) : !fault) {
      const before = performance.now() - SHORT.answerMs;
      for (const [idle, since] of idleSince) {
        if (since < before && idle instanceof DeadlineClient)
          idle.cut(new Error('thrown away with one that is silent'));
      }
    }
  });
}
