import type { BenchContext } from './bench-context.js';
import { lastPosition } from './service-log.js';

const GIVE_UP_AFTER_MS = 120_000;

/** Waits until the service's read models have everything that its log has now; tells how many ms that took. */
export async function catchUp(context: BenchContext): Promise<number> {
  const position = await lastPosition(context.serviceDatabaseUrl);
  return untilProjected(context.service.port, context.adminKey, position);
}

/** Waits until the read models of the service at `port` have the log up to `position`; tells how many ms that took. */
export async function untilProjected(port: number, adminKey: string, position: string): Promise<number> {
  const began = performance.now();
  for (;;) {
    const answer = await fetch(
      `http://127.0.0.1:${port}/v1/users/nobody/entitlements?minPosition=${position}`,
      { headers: { authorization: `Bearer ${adminKey}` } },
    );
    const text = await answer.text();
    const took = performance.now() - began;
    if (answer.status === 200) return took;
    // 412 projection_behind: asked to wait as long as the API does, and to ask again.
    if (answer.status !== 412)
      throw new Error(`GET entitlements answered ${answer.status}: ${text.slice(0, 300)}`);
    if (took > GIVE_UP_AFTER_MS)
      throw new Error(`the read models are still behind after ${GIVE_UP_AFTER_MS} ms`);
  }
}
