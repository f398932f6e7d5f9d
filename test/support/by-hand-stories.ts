import type { DomainEvent, EventData } from '../../src/events/event-types.js';
import type { GrantIssuedData } from '../../src/events/grant.events.js';
import { type OverrideSetData, overrideKindOf } from '../../src/events/override.events.js';
import type { ByHandFacts, GrantFacts, OverrideFacts } from '../../src/policy/facts.js';
import type { ToRecord } from './projected-log.js';

/** What a grant of a story gives; times are Unix seconds. */
export interface GrantStory
  extends Partial<Pick<GrantIssuedData, 'plan' | 'addons' | 'features' | 'limits'>> {
  readonly recorded: number;
  readonly from?: number;
  readonly until?: number;
  readonly revoked?: number;
}

/** What an override of a story sets; times are Unix seconds. */
export interface OverrideStory extends Partial<Pick<OverrideSetData, 'value' | 'add'>> {
  readonly key: string;
  readonly recorded: number;
  readonly until?: number;
  readonly removed?: number;
}

/** A grant given by mira as a prize, to the user u1. */
export function granted(story: GrantStory, grant = 'gr_1'): GrantFacts {
  const { plan = null, addons = {}, features = [], limits = {}, recorded, from, until, revoked } = story;
  return {
    grant,
    issued: {
      eventId: `${grant}-issued`,
      recordedAt: recorded * 1_000,
      data: {
        grant,
        userId: 'u1',
        plan,
        addons,
        features,
        limits,
        startsAt: instantOf(from),
        expiresAt: instantOf(until),
        reason: 'a prize',
        actor: 'mira',
      },
    },
    revoked:
      revoked === undefined
        ? null
        : {
            eventId: `${grant}-revoked`,
            recordedAt: revoked * 1_000,
            data: { grant, userId: 'u1', reason: 'a mistake', actor: 'ben' },
          },
  };
}

/** An override set by mira, as agreed, for the user u1. */
export function overridden(story: OverrideStory): OverrideFacts {
  const { key, value = null, add = null, recorded, until, removed } = story;
  const kind = overrideKindOf({ value });
  return {
    key,
    kind,
    set: {
      eventId: `${kind}-${key}-set-${recorded}`,
      recordedAt: recorded * 1_000,
      data: {
        userId: 'u1',
        key,
        value,
        add,
        expiresAt: instantOf(until),
        reason: 'as agreed',
        actor: 'mira',
      },
    },
    removed:
      removed === undefined
        ? null
        : {
            eventId: `${kind}-${key}-removed-${removed}`,
            recordedAt: removed * 1_000,
            data: { userId: 'u1', key, reason: 'a mistake', actor: 'ben' },
          },
  };
}

/** The events of a grant to a user, in their order, each at its second. */
export function grantToRecord(userId: string, grant: string, story: GrantStory): readonly ToRecord[] {
  const { issued, revoked } = granted(story, grant);
  return [
    byHandEvents('GrantIssued', { ...issued.data, userId }, issued.recordedAt),
    ...(revoked === null
      ? []
      : [byHandEvents('GrantRevoked', { ...revoked.data, userId }, revoked.recordedAt)]),
  ];
}

/** The events of an override of a user's key, in their order, each at its second. */
export function overrideToRecord(userId: string, story: OverrideStory): readonly ToRecord[] {
  const { set, removed } = overridden(story);
  return [
    byHandEvents('OverrideSet', { ...set.data, userId }, set.recordedAt),
    ...(removed === null
      ? []
      : [byHandEvents('OverrideRemoved', { ...removed.data, userId }, removed.recordedAt)]),
  ];
}

function byHandEvents<Type extends 'GrantIssued' | 'GrantRevoked' | 'OverrideSet' | 'OverrideRemoved'>(
  type: Type,
  data: EventData<Type>,
  at: number,
): ToRecord {
  return { event: { type, data } as DomainEvent, origin: null, at };
}

/** What a user has by hand: grants `gr_1`, `gr_2` and so on, and overrides. */
export function byHand(grants: readonly GrantStory[], overrides: readonly OverrideStory[] = []): ByHandFacts {
  return {
    grants: grants.map((story, n) => granted(story, `gr_${n + 1}`)),
    overrides: overrides.map(overridden),
  };
}

function instantOf(second: number | undefined): string | null {
  return second === undefined ? null : new Date(second * 1_000).toISOString();
}
