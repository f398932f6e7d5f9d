import type { StripeStream } from '../../../commands/recording.js';
import type { EventStore } from '../../../event-store/event-store.js';
import { streamName } from '../../../events/stream-names.js';
import type { StripeObjectRef } from '../../gateway/object-kind.js';
import type { StripeGateway } from '../../gateway/stripe.gateway.js';
import type { ObjectAnswer } from '../../gateway/stripe-answers.js';
import { objectOf } from '../../gateway/stripe-lists.js';
import {
  AnswerAheadError,
  type AnswerReading,
  isAhead,
  readAnswer,
  type UnusableObject,
} from '../answers.js';
import { type ImportItem, importItem } from '../import/import-item.js';
import { readStreamFacts, type StreamFacts } from '../stream-facts.js';
import { differs } from './differs.js';
import type { Drift, DriftOf } from './drift-report.js';
import type { ReconciliationJob } from './reconciliation-jobs.js';
import type { Recorder } from './recorder.js';

export interface ComparisonOptions extends AnswerReading {
  readonly gateway: Pick<StripeGateway, 'page' | 'object'>;
  readonly store: Pick<EventStore, 'readPage'>;
  readonly streamPrefix: string;
  readonly job: Pick<ReconciliationJob, 'id' | 'gone' | 'actor'>;
  readonly recorder: Pick<Recorder, 'lacked'>;
  readonly drift: Drift;
}

/** Compares what Stripe shows with the log, and has each difference reported, and repaired by it. */
export class Comparison {
  /** Subscriptions, customers and sessions that Stripe showed, and customers that were asked for. */
  readonly listed = new Set<string>();

  constructor(private readonly options: ComparisonOptions) {}

  /** Has an item recorded where its stream, of which `facts` tell, lacks it. @throws what the stores throw */
  async compare(item: ImportItem, facts: StreamFacts): Promise<void> {
    const { recorder, drift, job } = this.options;
    const { category, id, event, causation, answeredAt, apiVersion } = item;
    if (LISTED.has(event.type)) this.listed.add(id);
    if (differs(facts, item) === 'nothing new') return;
    const shown = shownBy(item);
    if (shown !== null) drift.add('differences', shown);
    const created = answeredAt ?? 0;
    const stripe = { eventId: null, eventType: null, created, apiVersion, livemode: this.options.livemode };
    await recorder.lacked({ stream: { category, id }, event, causation, stripe, actor: job.actor });
  }

  /**
   * Asks for an object by its id. `gone`: Stripe has none of it; `ignored`: it is not recorded.
   * @throws StripeUnansweredError, AnswerAheadError
   */
  async retrieved(about: StripeObjectRef): Promise<ImportItem | 'gone' | 'ignored'> {
    const { gateway, job } = this.options;
    const answer: ObjectAnswer | null = await objectOf(gateway, about);
    if (answer === null) return 'gone';
    if (isAhead(answer.answeredAt)) throw new AnswerAheadError();
    const read = readAnswer(about, job.id, answer, this.options);
    if (read.outcome === 'ignored') return 'ignored';
    if (read.outcome === 'unusable') {
      this.cannotRecord({ ...about, why: read.why });
      return 'ignored';
    }
    const { stream, event, causation } = read;
    const { answeredAt, apiVersion } = answer;
    return importItem.parse({ ...stream, event, causation, answeredAt, apiVersion });
  }

  /** Reports an object that was shown and is passed over. */
  cannotRecord(object: UnusableObject): void {
    this.listed.add(object.id);
    this.options.drift.add('unusableObjects', object);
  }

  facts({ category, id }: StripeStream): Promise<StreamFacts> {
    const { store, streamPrefix } = this.options;
    return readStreamFacts(store, streamName(streamPrefix, { category, id }));
  }
}

const LISTED: ReadonlySet<string> = new Set([
  'SubscriptionRetrieved',
  'CustomerRetrieved',
  'CheckoutRetrieved',
] satisfies ImportItem['event']['type'][]);

/** What differs; `null` where Stripe only says that it has nothing more. */
function shownBy({ id, event }: ImportItem): DriftOf<'differences'> | null {
  switch (event.type) {
    case 'SubscriptionRetrieved':
      return { kind: 'subscription', id };
    case 'SubscriptionInvoiceRetrieved':
    case 'CustomerInvoiceRetrieved':
      return { kind: 'invoice', id: event.data.invoice };
    case 'CheckoutRetrieved':
      return { kind: 'checkout', id };
    case 'PaymentRetrieved':
      return event.data.object === 'none' ? null : { kind: 'payment', id };
    default:
      return { kind: 'customer', id };
  }
}
