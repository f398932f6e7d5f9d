import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import type { BenchServer } from '../support/rival-process.js';
import type { Rebuild } from './report.js';

/** The load goes on for so long behind a third start and behind a swap. */
export const AFTERWARDS_MS = 5_000;
const LOOK_EVERY_MS = 250;

/** Does something as a part of the load that is told apart by its name. */
export type Within = <T>(name: string, work: () => Promise<T>) => Promise<T>;

const rebuildSchema = z.looseObject({
  phase: z.string(),
  events: z.number().nullable(),
  finishedAt: z.string().nullable(),
  failure: z.unknown(),
});

/** Seconds until another instance on the same stores says that it is ready. */
export async function thirdStart(start: (name: string) => Promise<BenchServer>): Promise<number> {
  const began = performance.now();
  const third = await start('third');
  const seconds = (performance.now() - began) / 1_000;
  await pause(AFTERWARDS_MS);
  await third.stop();
  return seconds;
}

/** Orders a rebuild over HTTP and waits until it was swapped; its parts are spans of their own. */
export async function rebuild(port: number, authorization: string, within: Within): Promise<Rebuild> {
  const url = `http://127.0.0.1:${port}/v1/ops/projections/entitlements/rebuild`;
  const headers = { authorization, 'content-type': 'application/json' };
  const look = async (): Promise<z.infer<typeof rebuildSchema>> =>
    rebuildSchema.parse(await (await fetch(url, { headers })).json());
  const began = performance.now();
  const seconds = (): number => (performance.now() - began) / 1_000;
  let now = await within('a rebuild folds', async () => {
    const answer = await fetch(url, { method: 'POST', headers, body: '{"reason":"bench"}' });
    if (answer.status !== 202) throw new Error(`a rebuild was answered ${answer.status}`);
    return until(look, ({ phase }) => phase !== 'building');
  });
  const foldSeconds = seconds();
  now = await within('it is compared and swapped', async () => {
    const ended = await until(look, ({ finishedAt }) => finishedAt !== null);
    await pause(AFTERWARDS_MS);
    return ended;
  });
  if (now.phase !== 'swapped') throw new Error(`a rebuild ended as ${now.phase}: ${JSON.stringify(now)}`);
  const swapSeconds = seconds() - foldSeconds - AFTERWARDS_MS / 1_000;
  return { events: now.events ?? 0, foldSeconds, swapSeconds };
}

async function until<T>(look: () => Promise<T>, holds: (seen: T) => boolean): Promise<T> {
  for (;;) {
    const seen = await look();
    if (holds(seen)) return seen;
    await pause(LOOK_EVERY_MS);
  }
}

/** An endpoint that is sent each change of a user once; returns the secret that signs. */
export async function makeEndpoint(port: number, authorization: string, url: string): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/v1/ops/webhook-endpoints`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify({ url, types: ['access.changed'] }),
  });
  return z.looseObject({ secret: z.string() }).parse(await answer.json()).secret;
}
