import { planCatalogSchema } from '../events/catalog.events.js';
import { catalogWarnings } from './catalog-warnings.js';

function warningsOf(more: { pro?: Record<string, unknown>; addons?: unknown }) {
  const { pro = {}, addons = {} } = more;
  return catalogWarnings(
    planCatalogSchema.parse({
      default: 'free',
      plans: { free: { rank: 0, role: 'free' }, pro: { rank: 1, role: 'paid', prices: pro } },
      addons,
    }),
  );
}

describe('warnings about a catalogue', () => {
  it('are none where every price is listed singly', () => {
    const addons = { seats: { prices: ['price_s'] } };
    expect(warningsOf({ pro: { m: ['price_m', 'price_m_old'] }, addons })).toEqual([]);
  });

  it('are none where only products are listed', () => {
    expect(warningsOf({ pro: { m: 'prod_pro' }, addons: { seats: { prices: ['prod_seat'] } } })).toEqual([]);
  });

  it('name a product of a plan that a price listed as an add-on may be of', () => {
    expect(warningsOf({ pro: { m: 'prod_pro' }, addons: { seats: { prices: ['price_s'] } } })).toEqual([
      expect.stringMatching(/^plans\.pro lists the product "prod_pro".*addons\.seats counts there/),
    ]);
  });

  it('name a product of an add-on that a price listed as a plan may be of', () => {
    expect(warningsOf({ pro: { m: 'pro_monthly' }, addons: { seats: { prices: ['prod_seat'] } } })).toEqual([
      expect.stringMatching(/^addons\.seats lists the product "prod_seat".*plans\.pro counts there/),
    ]);
  });
});
