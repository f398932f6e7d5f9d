import { afterPurchase, afterUpgrade, type PaidSubscription } from './ended-by-payment.js';

const UPGRADED: PaidSubscription = {
  id: 'sub_1',
  status: 'active',
  cancel_at: null,
  cancel_at_period_end: false,
  canceled_at: null,
  schedule: null,
  metadata: { tenure_upgrade: 'price_pro x 2', tenure_checkout: 'c2', tenure_followed: 'c1' },
  pending_update: null,
  latest_invoice: { id: 'in_1', status: 'paid', billing_reason: 'subscription_update', created: 100 },
  items: { data: [{ price: { id: 'price_pro' }, quantity: 2 }] },
};
const FOLLOWED = { metadata: { tenure_followed: 'c2' } };
const PLANNED = { cancel_at_period_end: true, cancel_at: 900, canceled_at: 50 };

describe('A paid upgrade', () => {
  it.each<[string, Partial<PaidSubscription>, readonly object[]]>([
    ['of what was to go on anyway leaves it so', {}, [FOLLOWED]],
    ['withdraws a cancellation at the period’s end', PLANNED, [{ ...FOLLOWED, cancel_at_period_end: false }]],
    [
      'withdraws a cancellation at a moment',
      { cancel_at: 900, canceled_at: 50 },
      [{ ...FOLLOWED, cancel_at: '' }],
    ],
    ['leaves a cancellation that was asked for after it', { ...PLANNED, canceled_at: 101 }, [FOLLOWED]],
    [
      'withdraws nothing for a change that Tenure did not begin',
      { ...PLANNED, metadata: { tenure_checkout: 'c0' } },
      [],
    ],
    [
      'withdraws nothing a second time',
      { ...PLANNED, metadata: { ...UPGRADED.metadata, tenure_followed: 'c2' } },
      [],
    ],
    ['withdraws nothing while it waits', { ...PLANNED, pending_update: {} }, []],
    [
      'withdraws nothing while other units are held',
      { ...PLANNED, metadata: { ...UPGRADED.metadata, tenure_upgrade: 'price_pro x 3' } },
      [],
    ],
    ['withdraws nothing of what has ended', { ...PLANNED, status: 'canceled' }, []],
    [
      'withdraws nothing while its invoice is open',
      { ...PLANNED, latest_invoice: { id: 'in_1', status: 'open', created: 100 } },
      [],
    ],
  ])('%s', (_what, changed, params) => {
    expect(afterUpgrade({ ...UPGRADED, ...changed }).map((deed) => deed.params)).toEqual(params);
  });

  it('releases the schedule first that would undo it', () => {
    expect(afterUpgrade({ ...UPGRADED, schedule: 'sub_sched_1' })).toMatchObject([
      { does: 'release_schedule', id: 'sub_sched_1' },
      { does: 'update', id: 'sub_1' },
    ]);
  });
});

describe('A subscription that a paid purchase takes the place of', () => {
  it.each<[string, Partial<PaidSubscription>, readonly string[]]>([
    ['ends with its period where it gives something', {}, ['update']],
    ['ends as it was to anyway', { ...PLANNED, metadata: {} }, []],
    ['ends though an upgrade was begun whose page is still open', PLANNED, ['update']],
    ['ends at once where it gives nothing', { status: 'paused' }, ['cancel']],
    ['is left where it has ended', { status: 'canceled' }, []],
    ['is let go by its schedule first', { schedule: 'sub_sched_1' }, ['release_schedule', 'update']],
  ])('%s', (_what, changed, deeds) => {
    expect(afterPurchase({ ...UPGRADED, ...changed }).map(({ does }) => does)).toEqual(deeds);
  });

  it.each<[string, Partial<PaidSubscription>]>([
    ['that runs on', {}],
    ['that is to end', PLANNED],
  ])('%s is not kept by an upgrade that was begun before', (_what, changed) => {
    const [deed] = afterPurchase({ ...UPGRADED, ...changed });
    expect(deed?.params).toMatchObject(FOLLOWED);
    const metadata = { ...UPGRADED.metadata, ...FOLLOWED.metadata };
    expect(afterUpgrade({ ...UPGRADED, ...PLANNED, metadata })).toEqual([]);
  });
});
