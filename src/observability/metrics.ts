import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { LatencyHistogram } from './latency-histogram.js';
import { VERSION } from './version.js';

/** How a question to Stripe's API ended: `held_back` ones never went out, `failed` is all that is none of the others. */
export const STRIPE_OUTCOMES = [
  'answered',
  'not_found',
  'held_back',
  'rate_limited',
  'timed_out',
  'aborted',
  'failed',
] as const;

export type StripeOutcome = (typeof STRIPE_OUTCOMES)[number];

export const WEBHOOK_OUTCOMES = [
  'applied',
  'duplicate',
  'ignored',
  'invalid_signature',
  'malformed',
  'too_large',
  'unavailable',
  'failed',
] as const;
export type WebhookOutcome = (typeof WEBHOOK_OUTCOMES)[number];

/**
 * What became of a subscription or an invoice in doubt: its answer was `settled` in the log; Stripe was asked and the service carries
 * on `unanswered`; it was `dropped` because too many waited; `failed` on our side of the way.
 */
export type DoubtOutcome = 'settled' | 'unanswered' | 'dropped' | 'failed';

/**
 * What became of a thin event that is handled: its v1 `event` or its `object` was fetched; the object is `gone`, of a kind
 * that is `not_retrievable`, or of `no_subscription` or `no_payment`; it was `held_back` as too many were fetched; Stripe gave no answer; there
 * is no key.
 */
export type ThinOutcome =
  | 'event'
  | 'object'
  | 'gone'
  | 'not_retrievable'
  | 'no_subscription'
  | 'no_payment'
  | 'held_back'
  | 'unanswered'
  | 'without_key';

/** What became of a change by time that was due: `appended`, `known` as another instance was faster, or `failed` for now. */
export type DeadlineOutcome = 'appended' | 'known' | 'failed';

/** Every metric of one process. Label values come from closed sets, so that no caller can make new series. */
export class Metrics {
  readonly registry = new Registry();

  private readonly webhooks = new Counter({
    name: 'tenure_webhooks_total',
    help: 'Stripe deliveries by event type (unknown types are "other", unread ones "unread") and outcome.',
    labelNames: ['type', 'outcome'] as const,
    registers: [this.registry],
  });
  private readonly checkoutWaits = new Counter({
    name: 'tenure_checkout_waits_total',
    help: 'Replies held for a paid checkout until the read model showed its subscription, by how that ended.',
    labelNames: ['outcome'] as const,
    registers: [this.registry],
  });
  private readonly stripeRequests = new Counter({
    name: 'tenure_stripe_requests_total',
    help: "Requests to Stripe's API by outcome.",
    labelNames: ['outcome'] as const,
    registers: [this.registry],
  });
  private readonly stripeDoubts = new Counter({
    name: 'tenure_stripe_doubts_total',
    help: 'Subscriptions and invoices in doubt, by whether Stripe was asked and its answer recorded.',
    labelNames: ['outcome'] as const,
    registers: [this.registry],
  });
  private readonly thinEvents = new Counter({
    name: 'tenure_thin_events_total',
    help: 'Thin events that are handled, by what was fetched for them, or why nothing was.',
    labelNames: ['outcome'] as const,
    registers: [this.registry],
  });
  private readonly unexpected = new Counter({
    name: 'tenure_stripe_unexpected_total',
    help: 'Recorded events with a status that is not known, or a list that Stripe cut, by which it is.',
    labelNames: ['kind'] as const,
    registers: [this.registry],
  });
  private readonly erasedClaims = new Counter({
    name: 'tenure_erased_claims_total',
    help: 'Claims of Stripe objects that were left out because their user is erased.',
    registers: [this.registry],
  });
  private readonly deadlines = new Counter({
    name: 'tenure_deadlines_total',
    help: 'Changes by time that were due, by whether this instance appended their event.',
    labelNames: ['outcome'] as const,
    registers: [this.registry],
  });
  private readonly authFailures = new Counter({
    name: 'tenure_auth_failures_total',
    help: 'Requests without a valid key.',
    labelNames: ['code'] as const,
    registers: [this.registry],
  });
  private readonly sharedReads = new Counter({
    name: 'tenure_shared_cache_reads_total',
    help: 'Snapshots that were looked for in the cache that instances share.',
    labelNames: ['outcome'] as const,
    registers: [this.registry],
  });
  private readonly snapshotStatements = new Counter({
    name: 'tenure_shared_cache_statements_total',
    help: 'Statements that read from the database what that cache did not have.',
    registers: [this.registry],
  });
  private readonly reactionWrites = new Counter({
    name: 'tenure_reaction_work_total',
    help: 'Work that this instance wrote down as following from what happened, by reaction.',
    labelNames: ['reaction'] as const,
    registers: [this.registry],
  });
  private readonly reactionTries = new Counter({
    name: 'tenure_reaction_tries_total',
    help: 'Tries of such work, by whether it is done, tried again or given up.',
    labelNames: ['reaction', 'outcome'] as const,
    registers: [this.registry],
  });
  private readonly mails = new Counter({
    name: 'tenure_mails_total',
    help: 'E-mails to users by kind, and whether they were sent or why not.',
    labelNames: ['kind', 'outcome'] as const,
    registers: [this.registry],
  });
  private readonly auditCopies = new Counter({
    name: 'tenure_audit_copies_total',
    help: 'Checkpoints that this instance brought to the mirror or had a witness sign, by whether that was done.',
    labelNames: ['with', 'outcome'] as const,
    registers: [this.registry],
  });
  readonly requestSeconds = new LatencyHistogram(
    'tenure_http_request_duration_seconds',
    'Time from the request to the end of its reply, by route, method and status.',
    ['route', 'method', 'status'],
  );
  readonly appendSeconds = new LatencyHistogram(
    'tenure_append_duration_seconds',
    'Time of one append to the event store, by outcome.',
    ['outcome'],
  );
  private readonly batchEvents = new Histogram({
    name: 'tenure_projection_batch_events',
    help: 'Events in one batch of the generation that is read; a slice of a publication ends none.',
    buckets: [0, 1, 2, 5, 10, 20, 50, 100, 200, 500],
    registers: [this.registry],
  });
  private readonly batchDuration = new LatencyHistogram(
    'tenure_projection_batch_duration_seconds',
    'Time of one batch of the generation that is read: reading the log, folding, committing.',
    [],
  );
  private readonly batchSeconds = this.batchDuration.cell({});

  constructor() {
    this.registry.registerMetric(this.batchDuration);
    this.registry.registerMetric(this.requestSeconds);
    this.registry.registerMetric(this.appendSeconds);
    collectDefaultMetrics({ register: this.registry });
    new Gauge({
      name: 'tenure_build_info',
      help: '1, labelled with the version of the code that runs and the Node that runs it.',
      labelNames: ['version', 'node'],
      registers: [this.registry],
    }).set({ version: VERSION, node: process.versions.node }, 1);
  }

  webhook(type: string, outcome: WebhookOutcome): void {
    this.webhooks.inc({ type, outcome });
  }

  checkoutWait(outcome: 'seen' | 'timed_out' | 'not_waited'): void {
    this.checkoutWaits.inc({ outcome });
  }

  stripeRequest(outcome: StripeOutcome): void {
    this.stripeRequests.inc({ outcome });
  }

  stripeDoubt(outcome: DoubtOutcome): void {
    this.stripeDoubts.inc({ outcome });
  }

  thinEvent(outcome: ThinOutcome): void {
    this.thinEvents.inc({ outcome });
  }

  stripeUnexpected(kind: 'unknown_status' | 'unknown_dispute_status' | 'cut_items' | 'cut_lines'): void {
    this.unexpected.inc({ kind });
  }

  erasedClaim(count: number): void {
    this.erasedClaims.inc(count);
  }

  deadline(outcome: DeadlineOutcome): void {
    this.deadlines.inc({ outcome });
  }

  reactionWritten(reaction: string, count: number): void {
    this.reactionWrites.inc({ reaction }, count);
  }

  reactionWork(reaction: string, outcome: 'done' | 'again' | 'dead'): void {
    this.reactionTries.inc({ reaction, outcome });
  }

  /** `kind` and `outcome` come from closed sets. */
  mail(kind: string, outcome: string): void {
    this.mails.inc({ kind, outcome });
  }

  /** What came of bringing a checkpoint of the log to those who keep it elsewhere. */
  auditTree(place: 'mirror' | 'witness', outcome: 'done' | 'failed' | 'disagrees'): void {
    this.auditCopies.inc({ with: place, outcome });
  }

  /** Snapshots that were looked for in the cache that instances share. */
  sharedRead(found: number, missed: number): void {
    if (found > 0) this.sharedReads.inc({ outcome: 'found' }, found);
    if (missed > 0) this.sharedReads.inc({ outcome: 'missed' }, missed);
  }

  snapshotStatement(): void {
    this.snapshotStatements.inc();
  }

  authFailure(code: 'unauthorized' | 'too_many_failures'): void {
    this.authFailures.inc({ code });
  }

  /** A batch that this instance committed to the generation that is read. */
  batch({ events, seconds }: { readonly events: number; readonly seconds: number }): void {
    this.batchEvents.observe(events);
    this.batchSeconds.observe(seconds);
  }

  /** A gauge whose value is asked for at every scrape. */
  watch(name: string, help: string, value: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(value());
      },
    });
  }
}
