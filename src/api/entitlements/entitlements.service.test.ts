import type { Projection } from '../../projections/engine/projection.js';
import type { DecisionReader } from '../../projections/read-models/decision.reader.js';
import type { EntitlementReader } from '../../projections/read-models/entitlement.reader.js';
import { EntitlementsService, MOST_WAITING } from './entitlements.service.js';

describe('Waiting for a position', () => {
  /** A service at position 5 of a log that ends at 9, on a projection that reaches a position when it is told to. */
  function underHand() {
    const waiting: ((reached: boolean) => void)[] = [];
    const served = { snapshot: {}, etag: '"e"', body: '{}', position: '5' };
    const engine: Pick<Projection, 'waitUntil'> = {
      waitUntil: () => new Promise((resolve) => waiting.push(resolve)),
    };
    const reader = {
      handled: '5',
      shows: (position: string) => position === '5',
      read: async () => served,
    };
    const service = new EntitlementsService(
      reader as unknown as EntitlementReader,
      engine as Projection,
      { end: async () => '9' },
      {} as DecisionReader,
    );
    return { waiting, ask: (position: string) => service.snapshot('u', position, undefined) };
  }

  it('is for so many at once; the others are told to come again, and who need not wait is answered', async () => {
    const { waiting, ask } = underHand();
    const asked = Array.from({ length: MOST_WAITING }, () => ask('6'));
    await expect(ask('6')).rejects.toMatchObject({
      code: 'too_many_waiting',
      headers: { 'retry-after': '1' },
    });
    expect((await ask('5')).status).toBe(200);
    expect(waiting).toHaveLength(MOST_WAITING);

    for (const [n, answer] of waiting.splice(0).entries()) answer(n % 2 === 0);
    const ends = await Promise.allSettled(asked);
    expect(new Set(ends.map(({ status }) => status))).toEqual(new Set(['fulfilled', 'rejected']));
    const again = ask('6');
    waiting[0]?.(true);
    expect((await again).status).toBe(200);
  });
});
