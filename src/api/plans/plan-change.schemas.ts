import { z } from 'zod';

const units = z.int().min(0).max(999_999_999);
const name = z.string().min(1).max(100);

export const planChangeRequest = z
  .strictObject({
    plan: name.optional().describe('left out: the plan that is held'),
    interval: name.optional().describe('label of the price; left out: the interval that is held'),
    quantity: units.min(1).optional().describe('units of the plan; left out: as many as are held'),
    addons: z
      .record(name, units)
      .optional()
      .describe('units by the name of the add-on, all of them; left out: those that are held'),
    when: z.enum(['period_end', 'now']).default('period_end'),
  })
  .refine(({ when: _, ...wanted }) => Object.values(wanted).some((value) => value !== undefined), {
    error: 'must name a plan, interval, quantity or add-ons',
  });
export type PlanChangeRequest = z.infer<typeof planChangeRequest>;

export const planChangeResponse = z.strictObject({
  outcome: z
    .enum(['scheduled', 'changed', 'withdrawn', 'unchanged'])
    .describe(
      '`scheduled`: it comes at `at`; `changed`: it was asked of Stripe at once; `withdrawn`: what was to come does not',
    ),
  plan: z.string(),
  interval: z.string().nullable().describe('label of the price; null where nothing is paid for the plan'),
  quantity: z.int(),
  addons: z.record(z.string(), z.int()),
  at: z.string().nullable(),
  position: z.string().nullable().describe('of the event that says who asked; null of `unchanged`'),
});
export type PlanChangeResponse = z.infer<typeof planChangeResponse>;

export const PLAN_CHANGE_EXAMPLES = {
  PlanChangeRequest: { plan: 'plus' },
  PlanChange: {
    outcome: 'scheduled',
    plan: 'plus',
    interval: 'monthly',
    quantity: 1,
    addons: {},
    at: '2026-12-01T00:00:00.000Z',
    position: '1851',
  },
} satisfies {
  readonly PlanChangeRequest: z.input<typeof planChangeRequest>;
  readonly PlanChange: PlanChangeResponse;
};
