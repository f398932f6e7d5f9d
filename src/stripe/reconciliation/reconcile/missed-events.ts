import type { StripeGateway } from '../../gateway/stripe.gateway.js';
import type { PageAnswer } from '../../gateway/stripe-answers.js';
import { pageOf } from '../../gateway/stripe-lists.js';
import { id } from '../../translate/read-json.js';
import {
  HANDLED_TYPES,
  type TranslationOptions,
  translateStripeEvent,
} from '../../translate/stripe-event.translator.js';
import { inTurns } from '../in-turns.js';
import type { Drift } from './drift-report.js';
import type { Recorder } from './recorder.js';

export interface MissedEventsOptions {
  readonly gateway: Pick<StripeGateway, 'page'>;
  readonly translation: TranslationOptions;
  readonly livemode: boolean;
  readonly recorder: Pick<Recorder, 'lacked'>;
  readonly drift: Drift;
  /** The second (Unix) up to which all was looked through before; `null`: all that Stripe keeps (30 days). */
  readonly since: number | null;
  /** Hears after each page how many events were looked at. */
  readonly onEvents: (count: number) => Promise<void>;
  readonly signal: AbortSignal;
}

/** Types that one list may name (Stripe: "List all events"). */
const TYPES_AT_ONCE = 20;
/** Seconds before the mark that are looked through again: what Stripe listed late, or what came within its second. */
const OVERLAP_SECONDS = 3_600;

/**
 * Goes through Stripe's events of every handled type, delivered or not, and has each recorded under its own id as if it had
 * been delivered. Answers the second (Unix) of Stripe's up to which all is recorded then.
 * @throws StripeUnansweredError, and what the stores throw
 */
export async function recordMissedEvents(options: MissedEventsOptions): Promise<number> {
  const { gateway, since, onEvents, signal } = options;
  const types = [...HANDLED_TYPES];
  let until = Number.POSITIVE_INFINITY;
  for (let first = 0; first < types.length; first += TYPES_AT_ONCE) {
    const asked = Object.fromEntries(
      types.slice(first, first + TYPES_AT_ONCE).map((type, index) => [`types[${index}]`, type]),
    );
    const from = since === null ? {} : { 'created[gte]': String(Math.max(0, since - OVERLAP_SECONDS)) };
    let after: string | null = null;
    do {
      const query = after === null ? {} : { starting_after: after };
      const page: PageAnswer = await pageOf(gateway, '/v1/events', { ...asked, ...from, ...query });
      until = Math.min(until, page.answeredAt);
      // Stripe lists the newest first; the log reads better the other way.
      await inTurns([...page.objects].reverse(), (body) => recordOne(options, body));
      await onEvents(page.objects.length);
      after = page.hasMore ? (page.objects.at(-1)?.id ?? null) : null;
      signal.throwIfAborted();
    } while (after !== null);
  }
  return until;
}

async function recordOne(
  { translation, livemode, recorder, drift, signal }: MissedEventsOptions,
  body: PageAnswer['objects'][number],
): Promise<void> {
  signal.throwIfAborted();
  const read = translateStripeEvent(body, translation);
  if (read.outcome === 'malformed') {
    drift.add('unusableEvents', { event: id(body.id) ?? 'unreadable', why: read.problems.join('; ') });
    return;
  }
  if (read.outcome === 'ignored' || read.stripe.livemode !== livemode) return;
  const { stream, event, stripe } = read;
  const saying = { stream, event, stripe, causation: stripe.eventId, actor: 'stripe' };
  if (await recorder.lacked(saying)) {
    const { eventId, created } = stripe;
    drift.add('missedEvents', { event: eventId, type: stripe.eventType, created });
  }
}
