import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { StripeOutcome } from '../stripe/stripe.gateway.js';
import { LatencyHistogram } from './latency-histogram.js';

/** What the projection shows of itself. `lag` is the number of positions it is behind the log, in log units. */
export interface ProjectionFigures {
  readonly position: number;
  readonly lagSeconds: number;
  readonly faulted: boolean;
  readonly running: boolean;
}

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
 * What became of a subscription in doubt: its answer was `settled` in the log; Stripe was asked and the service carries
 * on `unanswered`; it was `dropped` because too many waited; `failed` on our side of the way.
 */
export type DoubtOutcome = 'settled' | 'unanswered' | 'dropped' | 'failed';

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
    help: 'Subscriptions in doubt, by whether Stripe was asked and its answer recorded.',
    labelNames: ['outcome'] as const,
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

  constructor() {
    this.registry.registerMetric(this.requestSeconds);
    this.registry.registerMetric(this.appendSeconds);
    collectDefaultMetrics({ register: this.registry });
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

  deadline(outcome: DeadlineOutcome): void {
    this.deadlines.inc({ outcome });
  }

  authFailure(code: 'unauthorized' | 'too_many_failures'): void {
    this.authFailures.inc({ code });
  }

  /** Shows the projection's figures, asked for at every scrape; `null` leaves the last ones. */
  watchProjection(figures: () => Promise<ProjectionFigures | null>): void {
    let asked: Promise<ProjectionFigures | null> | null = null;
    // One question for all gauges of one scrape.
    const ask = (): Promise<ProjectionFigures | null> => {
      asked ??= figures().finally(() => {
        asked = null;
      });
      return asked;
    };
    this.gauge('tenure_projection_position', 'Position of the last event applied.', ask, (f) => f.position);
    this.gauge(
      'tenure_projection_lag_seconds',
      'How long the projection has been behind.',
      ask,
      (f) => f.lagSeconds,
    );
    this.gauge('tenure_projection_faulted', '1 while stopped at a fault.', ask, (f) => Number(f.faulted));
    this.gauge('tenure_projection_running', '1 while events are applied.', ask, (f) => Number(f.running));
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

  private gauge(
    name: string,
    help: string,
    ask: () => Promise<ProjectionFigures | null>,
    pick: (figures: ProjectionFigures) => number,
  ): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      async collect() {
        const figures = await ask();
        if (figures !== null) this.set(pick(figures));
      },
    });
  }
}
