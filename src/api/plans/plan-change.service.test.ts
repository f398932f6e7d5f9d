import type { CommandBus } from '@nestjs/cqrs';
import { planCatalogSchema } from '../../events/catalog.events.js';
import type { Served, Snapshot } from '../../projections/entitlements/snapshot.js';
import { PlanChangeService } from './plan-change.service.js';

const catalog = planCatalogSchema.parse({
  default: 'free',
  plans: { free: { rank: 0, role: 'free' }, plus: { rank: 1, role: 'paid', prices: { m: 'plus_m' } } },
});

/** A service whose read model says `plus` by a grant once it has the end of the log, and the default plan before. */
function service(steps: string[], reaches: 'the end' | 'not the end'): PlanChangeService {
  let plan = 'free';
  return new PlanChangeService({
    gateway: null,
    reader: {
      read: async () => {
        steps.push('read');
        const snapshot = { plan, source: plan === 'free' ? null : { type: 'grant' } } as Snapshot;
        return { snapshot } as Served;
      },
    },
    ops: { currentCatalog: async () => catalog },
    prices: { of: async () => new Map() },
    locks: {
      holding: async (_, work) => {
        steps.push('locked');
        return work({ confirm: async () => undefined });
      },
    },
    logWatch: { end: async () => '7' as never },
    engine: {
      waitUntil: async (end) => {
        steps.push(`waited for ${end}`);
        if (reaches === 'the end') plan = 'plus';
        return reaches === 'the end';
      },
    },
    commands: {} as CommandBus,
    usage: { usageOf: async () => ({}) as never },
  });
}

const asked = {
  userId: 'ann',
  request: { plan: 'free', when: 'period_end' },
  caller: {} as never,
  key: 'k',
} as const;

describe('A change of plan', () => {
  it('is judged by what is known at the end of the log, within the lock of the user', async () => {
    const steps: string[] = [];
    await expect(service(steps, 'the end').change(asked)).rejects.toMatchObject({
      code: 'plan_not_by_subscription',
    });
    expect(steps).toEqual(['locked', 'waited for 7', 'read']);
  });

  it('is not made while the read model is behind the log', async () => {
    await expect(service([], 'not the end').change(asked)).rejects.toMatchObject({
      code: 'checkout_not_ready',
    });
  });
});
