import { setTimeout as pause } from 'node:timers/promises';

/** Longer than anything takes that comes at all, on a machine that has much else to do. */
const PATIENCE_MS = 60_000;

/** Waits until a condition holds. Throws where it does not within a minute. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not within ${PATIENCE_MS} ms: ${what}`);
    await pause(5);
  }
}
