import type { PlanCatalog } from '../../events/catalog.events.js';
import type { EventEnvelope } from '../../events/event-envelope.js';
import { subscriptionsOfLines } from '../../events/invoice.events.js';
import { comparePositions, type Position } from '../../events/stored-event.js';
import { ALWAYS, happenedAt } from '../../events/two-clocks.js';
import type { UserFacts } from '../../policy/facts.js';
import type { ExplainableFacts } from '../../policy/reasons/explain.js';
import { userStreamsOf } from '../../projections/entitlements/user-streams.js';
import { UserFold } from './user-fold.js';

/** An event, and the fold's time at it (Unix ms), from which it was known. */
export interface KnownEvent {
  readonly event: EventEnvelope;
  readonly knownFrom: number;
}

/** A catalogue: when it was recorded, and from when it was known (Unix ms). */
export interface KnownCatalog {
  readonly position: Position;
  readonly recordedAt: number;
  readonly knownFrom: number;
}

/** Two clocks (Unix ms): what had happened by `at`, as far as it was known by `knownAt`. */
export interface Moment {
  readonly at: number;
  readonly knownAt: number;
}

/** What is judged of a user at a moment. */
export interface FactsAsOf {
  /** Folded when they are first asked for: what was served is answered without them. */
  readonly facts: () => Promise<ExplainableFacts>;
  /** Events that they are folded from, in the log's order. */
  readonly events: readonly EventEnvelope[];
  /** When the first of what was known of the user happened (Unix ms); `null` while nothing was. */
  readonly since: number | null;
}

/**
 * What a user is judged by: the events that happened by one clock and were known by the other, folded (DESIGN 9, "Two
 * clocks"). Pure: what it answers follows from what it is given.
 * @param known every event that the user's subscriptions and whose they are may depend on; others change nothing
 */
export async function factsAsOf(
  userId: string,
  known: readonly KnownEvent[],
  { at, knownAt }: Moment,
): Promise<FactsAsOf> {
  const inTime = known
    .filter(({ knownFrom }) => knownFrom <= knownAt)
    .sort((a, b) => comparePositions(a.event.position, b.event.position));
  const happened = inTime.filter(({ event, knownFrom }) => happenedAt(event, knownFrom) <= at);
  const folded = new Map<readonly KnownEvent[], Promise<ExplainableFacts>>();
  const factsOf = (events: readonly KnownEvent[]): Promise<ExplainableFacts> => {
    const facts = folded.get(events) ?? fold(userId, events);
    folded.set(events, facts);
    return facts;
  };
  const then = happened.length === inTime.length ? inTime : happened;
  return {
    facts: () => factsOf(then),
    events: happened.map(({ event }) => event),
    since: firstNamed(userId, inTime) ?? firstOf(userId, await factsOf(inTime), inTime),
  };
}

/** The catalogue last published by both clocks; before the first the first. `null` where there is none. */
export function catalogAsOf<Known extends KnownCatalog>(
  published: readonly Known[],
  { at, knownAt }: Moment,
): Known | null {
  const inForce = published.findLast(({ recordedAt, knownFrom }) => recordedAt <= at && knownFrom <= knownAt);
  return inForce ?? published[0] ?? null;
}

/** What was judged at a moment, and by which catalogue. */
export interface JudgedFrom extends FactsAsOf {
  readonly catalog: PlanCatalog;
}

async function fold(userId: string, known: readonly KnownEvent[]): Promise<ExplainableFacts> {
  const folded = new UserFold(userId);
  for (const { event } of known) await folded.add(event);
  return folded.facts();
}

/** When the very first event happened, where it names the user, whatever the others are about; else `null`. */
function firstNamed(userId: string, known: readonly KnownEvent[]): number | null {
  const happened = known.map(({ event, knownFrom }) => happenedAt(event, knownFrom));
  const first = happened.reduce((least, each) => (each === ALWAYS ? least : Math.min(least, each)), Infinity);
  const isNamed = known.some(({ event }, n) => happened[n] === first && names(event, userId));
  return isNamed ? first : null;
}

function names(event: EventEnvelope, userId: string): boolean {
  return userStreamsOf(event).some((named) => named.userId === userId);
}

/** When the first event happened that is about the user's subscriptions or purchases, or names the user; links happen at no time. */
function firstOf(userId: string, facts: UserFacts, known: readonly KnownEvent[]): number | null {
  const owned = new Set([
    ...facts.subscriptions.map(({ subscription }) => subscription),
    ...(facts.purchases ?? []).map(({ session }) => session),
  ]);
  let first: number | null = null;
  for (const { event, knownFrom } of known) {
    const happened = happenedAt(event, knownFrom);
    if (happened === ALWAYS || (first !== null && happened >= first)) continue;
    if (names(event, userId) || subjectsOf(event).some((subject) => owned.has(subject))) first = happened;
  }
  return first;
}

/** Subscriptions and sessions that an event is about. */
function subjectsOf({ type, data }: EventEnvelope): readonly string[] {
  switch (type) {
    case 'CustomerInvoicePaid':
    case 'CustomerInvoicePaymentFailed':
    case 'CustomerInvoiceFinalized':
    case 'CustomerInvoiceUncollectible':
    case 'CustomerInvoiceVoided':
    case 'CustomerInvoiceRetrieved':
      return subscriptionsOfLines(data);
    default:
      return [
        'subscription' in data ? data.subscription : null,
        'session' in data ? data.session : null,
      ].filter((id) => id !== null);
  }
}
