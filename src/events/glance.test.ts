import { GOLDEN_EVENTS } from '../../test/support/golden-events.js';
import { glanceAt } from './glance.js';
import type { StoredEvent } from './stored-event.js';

const [some] = GOLDEN_EVENTS;

describe('A glance at an event', () => {
  it.each<[string, Partial<StoredEvent>]>([
    ['of a type that is not known', { type: 'NobodyKnows' }],
    ['whose data is not JSON', { data: '{' }],
    ['whose data is no object', { data: 'null' }],
    ['without a time of recording', { metadata: '{"schemaVersion":1}' }],
    [
      'of a schema version to come',
      { metadata: '{"recordedAt":"2026-11-03T10:00:00.500Z","schemaVersion":99}' },
    ],
  ])('%s sees nothing', (_, broken) => {
    if (some === undefined) throw new Error('there are no golden events');
    expect(glanceAt(some.stored)).not.toBeNull();
    expect(glanceAt({ ...some.stored, ...broken })).toBeNull();
  });

  it('takes the time of recording from where it stands, whatever texts say', () => {
    if (some === undefined) throw new Error('there are no golden events');
    const { recordedAt } = some.metadata;
    const actor = JSON.stringify('"recordedAt":"2001-01-01T00:00:00.000Z","schemaVersion":1');
    const metadata = some.stored.metadata.replace(/"actor":"[^"]*"/, () => `"actor":${actor}`);
    expect(metadata).toContain('2001-01-01');
    expect(glanceAt({ ...some.stored, metadata })?.metadata).toEqual({ recordedAt });
  });
});
