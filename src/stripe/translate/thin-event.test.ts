import fc from 'fast-check';
import { thinEvent } from '../../../test/support/stripe-events.js';
import { isThinEvent, readThinEvent } from './thin-event.js';

describe('any JSON of a thin event', () => {
  it('is read or called malformed, never thrown at, and stays as it is', () => {
    const field = fc.jsonValue({ stringUnit: 'binary', maxDepth: 3 });
    const fields = ['id', 'type', 'related_object', 'snapshot_event', 'context', 'account', 'livemode'];
    const bent = fc.dictionary(fc.constantFrom(...fields), field);
    fc.assert(
      fc.property(bent, (more) => {
        const body = thinEvent(
          'v1.invoice.paid',
          { type: 'invoice', id: 'in_1' },
          { snapshot: 'evt_1', ...more },
        );
        const text = JSON.stringify(body);
        const read = readThinEvent(body, null);
        expect(['to_fetch', 'ignored', 'malformed']).toContain(read.outcome);
        expect([isThinEvent(body), JSON.stringify(body)]).toEqual([true, text]);
        if (read.outcome === 'to_fetch') expect(read.snapshot ?? read.about?.id).toMatch(/^\S{1,255}$/u);
      }),
    );
  });
});
