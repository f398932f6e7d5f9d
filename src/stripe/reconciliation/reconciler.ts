import type { CommandBus } from '@nestjs/cqrs';
import { recordingOf } from '../../commands/recording.js';
import type { EventStore } from '../../event-store/event-store.js';
import { streamPages } from '../../event-store/stream-pages.js';
import { type EventEnvelope, parseEvent } from '../../events/event-envelope.js';
import type { StoredEvent } from '../../events/stored-event.js';
import { subscriptionStream } from '../../events/stream-names.js';
import {
  SUBSCRIPTION_OBSERVATION_TYPES,
  type SubscriptionObservationType,
} from '../../events/subscription.events.js';
import type { Observation } from '../../policy/facts.js';
import { EventLoopShare } from '../../projections/engine/yield-if-due.js';
import { factOriginOf } from '../../projections/entitlements/fact-rows.js';
import type { StripeGateway } from '../gateway/stripe.gateway.js';
import { ambiguityOf } from './ambiguity.js';
import { type AnswerReading, readAnswer } from './answers.js';

export interface ReconcilerOptions extends AnswerReading {
  readonly gateway: StripeGateway;
  readonly store: EventStore;
  readonly commands: CommandBus;
  readonly streamPrefix: string;
}

/** A subscription to look at. `namedBy` is the event of a completed checkout that names it; `correlationId` of who told of it. */
export interface AmbiguousSubscription {
  readonly subscription: string;
  readonly namedBy: string | null;
  readonly correlationId: string;
}

/**
 * What a look came to: nothing is in doubt (any more); the answer is in the log; there is none and the service goes on
 * without (`why` is for the log and quotes no data); or it is too early and to be looked at again.
 */
export type ReconciliationOutcome =
  | { readonly outcome: 'no_doubt' | 'settled' }
  | { readonly outcome: 'unanswered'; readonly why: string }
  | { readonly outcome: 'too_early'; readonly againInMs: number };

const OBSERVATION_TYPES: ReadonlySet<string> = new Set(SUBSCRIPTION_OBSERVATION_TYPES);
const MAX_PAUSE_MS = 2_000;
/** Stripe's clock may be behind ours: its next second is soon. */
const NEXT_SECOND_MS = 1_000;

/**
 * Looks whether a subscription is in doubt, asks Stripe and records the answer as `SubscriptionRetrieved`. The log is
 * read each time, so that one answer settles all that was told before it, and nothing settled is asked again; instances
 * that ask at once record once, by what they asked about.
 */
export class Reconciler {
  constructor(private readonly options: ReconcilerOptions) {}

  /** @throws what the event store, its events and the command throw */
  async look(question: AmbiguousSubscription): Promise<ReconciliationOutcome> {
    const { gateway, store, streamPrefix } = this.options;
    const { subscription, namedBy } = question;
    const pages = streamPages(store, subscriptionStream(streamPrefix, subscription), 0);
    const ambiguity = ambiguityOf(await this.#observations(pages), namedBy);
    if (ambiguity === null) return { outcome: 'no_doubt' };
    const early = (ambiguity.after + 1) * 1_000 - Date.now();
    if (early > 0) return { outcome: 'too_early', againInMs: Math.min(early, MAX_PAUSE_MS) };

    const asked = { kind: 'subscription', id: subscription } as const;
    const answer = await gateway.object(asked);
    if (answer.outcome !== 'answered') {
      const { outcome, status, requestId } = answer;
      return { outcome: 'unanswered', why: `${outcome}, status ${status}, request ${requestId}` };
    }
    if (answer.answeredAt <= ambiguity.after) return { outcome: 'too_early', againInMs: NEXT_SECOND_MS };
    const read = readAnswer(asked, ambiguity.why, answer, this.options);
    if (read.outcome !== 'recorded') {
      return { outcome: 'unanswered', why: read.outcome === 'ignored' ? read.reason : read.why };
    }
    const { stream, event, causation, stripe } = read;
    const origin = { actor: 'stripe', correlationId: question.correlationId, causation, stripe };
    await this.options.commands.execute(recordingOf(stream, event, origin));
    return { outcome: 'settled' };
  }

  /** A long stream is parsed a while at a time: others have the process between. */
  async #observations(pages: AsyncIterable<readonly StoredEvent[]>): Promise<readonly Observation[]> {
    const loopShare = new EventLoopShare();
    const observations: Observation[] = [];
    for await (const page of pages) {
      for (const each of page) {
        observations.push(...toObservation(parseEvent(each)));
        await loopShare.yieldIfDue();
      }
    }
    return observations;
  }
}

function isObservation(
  event: EventEnvelope,
): event is Extract<EventEnvelope, { type: SubscriptionObservationType }> {
  return OBSERVATION_TYPES.has(event.type);
}

/** As the projection folds it. */
function toObservation(event: EventEnvelope): readonly Observation[] {
  return isObservation(event) ? [{ ...factOriginOf(event), type: event.type, data: event.data }] : [];
}
