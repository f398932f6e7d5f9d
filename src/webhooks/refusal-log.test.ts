import { createLogger } from '../observability/logger.js';
import { refusalsIn } from './refusal-log.js';
import type { RefusedDelivery } from './webhook.service.js';

const MALFORMED: RefusedDelivery = {
  code: 'malformed_event',
  eventId: 'evt_1',
  type: 'customer.updated',
  detail: 'data.object.id must be an id.',
};
const UNSIGNED: RefusedDelivery = { code: 'invalid_signature', eventId: null, type: 'unread', detail: 'x' };

describe('The log of refused deliveries', () => {
  it('has one line of each kind in a minute, with event, type and field, and how many it stands for', () => {
    const lines: Record<string, unknown>[] = [];
    let now = 0;
    const tell = refusalsIn(
      createLogger('info', { write: (line) => void lines.push(JSON.parse(line)) }),
      () => now,
    );
    for (let n = 0; n < 500; n += 1) {
      tell(MALFORMED);
      tell(UNSIGNED);
    }
    expect(lines).toMatchObject([
      { level: 'warn', msg: 'a delivery of Stripe was refused', ...MALFORMED, leftOut: 0 },
      { ...UNSIGNED, leftOut: 0 },
    ]);
    now = 60_000;
    tell(MALFORMED);
    expect(lines).toHaveLength(3);
    expect(lines[2]).toMatchObject({ ...MALFORMED, leftOut: 499 });
  });
});
