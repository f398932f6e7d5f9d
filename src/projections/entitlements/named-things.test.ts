import { GOLDEN_EVENTS } from '../../../test/support/golden-events.js';
import { glanceAt } from '../../events/glance.js';
import { timeOf } from '../../events/two-clocks.js';
import { readEvent, UnreadableEvent } from '../engine/unreadable-event.js';
import { thingsNamedBy } from './named-things.js';

/** Names of fields that hold the id of something by which facts are joined. */
const FIELDS: Readonly<Record<string, string>> = {
  userId: 'user',
  metadataUserId: 'user',
  clientReferenceId: 'user',
  subscription: 'subscription',
  customer: 'customer',
  session: 'session',
  payment: 'payment',
  paymentIntent: 'payment',
  charge: 'payment',
  paymentRecord: 'payment',
  invoice: 'invoice',
};
const NAME_NOTHING = [
  'PlanCatalogPublished',
  'EventSkipped',
  'AuditAccessed',
  'UserErased',
  'UserReadmitted',
];

/** `kind id` of whatever stands in a field of these names, however deep. */
function inFields(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) => {
    const kind = FIELDS[key];
    return kind !== undefined && typeof part === 'string' ? [`${kind} ${part}`] : inFields(part);
  });
}

describe('The things that an event names', () => {
  it('are those in the fields that hold ids by which facts are joined, of every type of event', () => {
    let named = 0;
    for (const { stored } of GOLDEN_EVENTS) {
      const event = readEvent(stored);
      if (event instanceof UnreadableEvent) throw event.cause;
      const things = new Set(thingsNamedBy(event).map(({ kind, id }) => `${kind} ${id}`));
      const expected = NAME_NOTHING.includes(event.type) ? [] : inFields(event.data);
      expect({ type: event.type, things }).toEqual({ type: event.type, things: new Set(expected) });
      named += things.size;
    }
    expect(named).toBeGreaterThan(100);
  });

  it('are the same at a glance, and so is the time that it brings', () => {
    for (const { name, stored } of GOLDEN_EVENTS) {
      const [event, glance] = [readEvent(stored), glanceAt(stored)];
      if (event instanceof UnreadableEvent || glance === null) throw new Error(`${name} cannot be read`);
      const seen = { name, things: thingsNamedBy(glance), time: timeOf(glance), stream: glance.stream };
      expect(seen).toEqual({ name, things: thingsNamedBy(event), time: timeOf(event), stream: event.stream });
    }
  });
});
