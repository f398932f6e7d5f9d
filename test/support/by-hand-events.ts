import type { DomainEvent } from '../../src/events/event-types.js';
import { overrideKindOf } from '../../src/events/override.events.js';
import type { ByHandFacts, GrantFacts, OverrideFacts } from '../../src/policy/facts.js';
import type { ToRecord } from './projected-log.js';

/** What a user has by hand after these events, told the plain way; `undefined` where none is about it. */
export function byHandAfter(events: readonly ToRecord[], userId: string): ByHandFacts | undefined {
  const grants = new Map<string, GrantFacts>();
  const overrides = new Map<string, OverrideFacts>();
  for (const { event, at: recordedAt } of events) {
    if (!('userId' in event.data) || event.data.userId !== userId) continue;
    const eventId = `${event.type} ${recordedAt}`;
    switch (event.type) {
      case 'GrantIssued': {
        const { data } = event;
        grants.set(data.grant, { grant: data.grant, issued: { eventId, recordedAt, data }, revoked: null });
        break;
      }
      case 'GrantRevoked': {
        const { data } = event;
        const grant = grants.get(data.grant);
        if (grant !== undefined) {
          grants.set(data.grant, { ...grant, revoked: { eventId, recordedAt, data } });
        }
        break;
      }
      case 'OverrideSet': {
        const { data } = event;
        const kind = overrideKindOf(data);
        const set = { eventId, recordedAt, data };
        overrides.set(`${kind} ${data.key}`, { key: data.key, kind, set, removed: null });
        break;
      }
      case 'OverrideRemoved':
        for (const kind of ['feature', 'limit']) overrides.delete(`${kind} ${event.data.key}`);
    }
  }
  if (grants.size + overrides.size === 0) return undefined;
  return { grants: [...grants.values()], overrides: [...overrides.values()] };
}

/** Events of one grant and of overrides of one user, in no order; `instant` gives moments of RFC 3339. */
export function byHandEvents(
  { grant, userId, plan, limit }: { grant: string; userId: string; plan: string; limit: number },
  instant: () => string | null,
): readonly DomainEvent[] {
  const said = { userId, reason: 'a test', actor: 'mira' };
  return [
    {
      type: 'GrantIssued',
      data: {
        ...said,
        grant,
        plan,
        addons: { seats: 2 },
        features: ['sso'],
        limits: { members: limit },
        startsAt: instant(),
        expiresAt: instant(),
      },
    },
    { type: 'GrantRevoked', data: { ...said, grant } },
    { type: 'OverrideSet', data: { ...said, key: 'export', value: false, add: null, expiresAt: instant() } },
    { type: 'OverrideSet', data: { ...said, key: 'members', value: null, add: limit, expiresAt: instant() } },
    { type: 'OverrideSet', data: { ...said, key: 'members', value: limit, add: null, expiresAt: null } },
    { type: 'OverrideRemoved', data: { ...said, key: 'members' } },
  ];
}
