import type { PlanCatalog } from '../../events/catalog.events.js';
import type { EventEnvelope } from '../../events/event-envelope.js';
import { subscriptionsOfLines } from '../../events/invoice.events.js';
import type { Position } from '../../events/stored-event.js';
import { ALWAYS } from '../../events/two-clocks.js';
import type { UserFacts } from '../../policy/facts.js';
import type { ExplainableFacts } from '../../policy/reasons/explain.js';
import { userStreamsOf } from '../../projections/entitlements/user-streams.js';
import { UserFold } from './user-fold.js';

/** An event, the fold's time at it, from which it was known, and when it happened (Unix ms). */
export interface KnownEvent {
  readonly event: EventEnvelope;
  readonly knownFrom: number;
  readonly happened: number;
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

/** Whether an event was folded by what is asked about. */
export type IsFolded = (each: { readonly position: Position }) => boolean;

/**
 * What a user is judged by: the events that happened by one clock and were known by the other, folded (DESIGN 9, "Two
 * clocks"). What it answers follows from what it is given.
 */
export class FactsByMoment {
  readonly #known: GrowingFold;
  readonly #happened: GrowingFold;

  constructor(private readonly userId: string) {
    this.#known = new GrowingFold(userId);
    this.#happened = new GrowingFold(userId);
  }

  /**
   * The facts of a moment. What they are asked for again must be asked before the next moment.
   * @param all every event that the user's subscriptions and whose they are may depend on, in the log's order; others
   * change nothing
   */
  async asOf(all: readonly KnownEvent[], { at, knownAt }: Moment, isFolded: IsFolded): Promise<FactsAsOf> {
    const known = all.filter(({ event, knownFrom }) => knownFrom <= knownAt && isFolded(event));
    const happened = known.filter((each) => each.happened <= at);
    const then = happened.length === known.length ? this.#known : this.#happened;
    return {
      facts: () => then.facts(happened),
      events: happened.map(({ event }) => event),
      since: firstNamed(this.userId, known) ?? firstOf(this.userId, await this.#known.facts(known), known),
    };
  }
}

/** The catalogue last published by both clocks; before the first the first. `null` where there is none. */
export function catalogAsOf<Known extends KnownCatalog>(
  published: readonly Known[],
  { at, knownAt }: Moment,
  isFolded: IsFolded,
): Known | null {
  const inForce = published.findLast(
    (each) => each.recordedAt <= at && each.knownFrom <= knownAt && isFolded(each),
  );
  return inForce ?? published[0] ?? null;
}

/** What was judged at a moment, and by which catalogue. */
export interface JudgedFrom extends FactsAsOf {
  readonly catalog: PlanCatalog;
}

/** Facts of lists of events that mostly go on from each other: of a list that begins with the last one only the rest is folded. */
class GrowingFold {
  #fold: UserFold;
  #folded: readonly KnownEvent[] = [];

  constructor(private readonly userId: string) {
    this.#fold = new UserFold(userId);
  }

  /** What the user is judged by after these events; to be used before it is asked for others. */
  async facts(events: readonly KnownEvent[]): Promise<ExplainableFacts> {
    const isBeginning = this.#folded.every((each, n) => each === events[n]);
    const fold = isBeginning ? this.#fold : new UserFold(this.userId);
    const more = events.slice(isBeginning ? this.#folded.length : 0);
    // What fails half-way is not gone on from.
    this.#fold = new UserFold(this.userId);
    this.#folded = [];
    for (const { event } of more) await fold.add(event);
    this.#fold = fold;
    this.#folded = events;
    return fold.facts();
  }
}

/** When the very first event happened, where it names the user, whatever the others are about; else `null`. */
function firstNamed(userId: string, known: readonly KnownEvent[]): number | null {
  let first = Number.POSITIVE_INFINITY;
  for (const { happened } of known) if (happened !== ALWAYS && happened < first) first = happened;
  const isNamed = known.some(({ event, happened }) => happened === first && names(event, userId));
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
  for (const { event, happened } of known) {
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
