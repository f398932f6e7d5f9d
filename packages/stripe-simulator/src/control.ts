import { z } from 'zod';
import type { Account } from './account.js';
import { resourceMissing } from './api-error.js';
import { Router } from './http/router.js';
import { paymentControls } from './payment-controls.js';
import type { Webhooks } from './webhooks/delivery.js';
import { faultsSchema } from './webhooks/faults.js';

/** What the controls act on. */
export interface Controlled {
  readonly account: Account;
  readonly webhooks: Webhooks;
  moveTo(second: number): Promise<void>;
  goWithRealTime(): Promise<void>;
}

const settings = z
  .strictObject({
    retry_after_days: z.array(z.number().int().min(1)),
    after_dunning: z.enum(['cancel', 'mark_unpaid', 'leave_past_due']),
    invoice_after_dunning: z.enum(['leave_open', 'mark_uncollectible']),
    draft_seconds: z.number().int().min(0),
    bank_debit_days: z.number().int().min(0),
    upcoming_days: z.number().int().min(0),
    requests_per_second: z.number().int().min(1).nullable(),
    answer_ms: z.number().int().min(0).max(60_000),
  })
  .partial();

/** Seconds, or a text that JavaScript reads as a date, or `now` for the real present. */
const instant = z.union([
  z.number().int(),
  z.literal('now'),
  z.string().transform((text, context) => {
    const milliseconds = Date.parse(text);
    if (!Number.isNaN(milliseconds)) return Math.floor(milliseconds / 1_000);
    context.addIssue('not a date');
    return z.NEVER;
  }),
]);

/** `/_simulator/…`: what the world around Stripe does, and how the simulator behaves. JSON both ways. */
export function controlRouter(simulator: Controlled): Router {
  const router = new Router();
  const { account, webhooks } = simulator;
  const clock = (): object => ({
    now: account.clock.now,
    iso: new Date(account.clock.now * 1_000).toISOString(),
  });
  const none = z.strictObject({});

  router.on('GET', '/_simulator/clock', none, clock);
  const advance = z.union([
    z.strictObject({ to: instant }),
    z.strictObject({ seconds: z.number().int().min(0) }),
    z.strictObject({ days: z.number().min(0) }),
  ]);
  router.on('POST', '/_simulator/clock/advance', advance, async (params) => {
    if ('to' in params && params.to === 'now') await simulator.goWithRealTime();
    else await simulator.moveTo(targetOf(params, account.clock.now));
    return clock();
  });

  router.on('GET', '/_simulator/settings', none, () => account.settings);
  router.on('POST', '/_simulator/settings', settings, (changes) => {
    const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
    account.settings = { ...account.settings, ...given };
    return account.settings;
  });
  const key = z.strictObject({
    key: z.string().regex(/^rk_test_\w+$/),
    permissions: z.array(z.strictObject({ resource: z.string(), access: z.enum(['read', 'write']) })),
  });
  router.on('POST', '/_simulator/keys', key, ({ key: name, permissions }) => {
    account.restrictedKeys.set(name, permissions);
    return { key: name, permissions };
  });

  paymentControls(router, account);
  webhookControls(router, account, webhooks);
  return router;
}

function webhookControls(router: Router, account: Account, webhooks: Webhooks): void {
  const none = z.strictObject({});
  router.on('POST', '/_simulator/webhooks/faults', faultsSchema, (faults) => {
    webhooks.faults = faults;
    return faults;
  });
  router.on('POST', '/_simulator/webhooks/settle', none, async () => {
    await webhooks.settled();
    return { settled: true };
  });
  router.on('GET', '/_simulator/webhooks/attempts', none, () => ({ data: webhooks.attempts }));
  router.on('POST', '/_simulator/events/:id/resend', none, async (_, { id }) => {
    const row = account.events.rows.find(id);
    if (row === undefined) throw resourceMissing('event', id);
    webhooks.resend(row);
    await webhooks.settled();
    return { id };
  });
}

function targetOf(
  params: { to: number | 'now' } | { seconds: number } | { days: number },
  now: number,
): number {
  if ('seconds' in params) return now + params.seconds;
  if ('days' in params) return now + Math.round(params.days * 86_400);
  return typeof params.to === 'number' ? params.to : now;
}
