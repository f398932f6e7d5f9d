import type { CheckoutStartedData } from '../../events/checkout.events.js';
import type { EventEnvelope } from '../../events/event-envelope.js';
import type { CheckoutStatusResponse } from './checkout.schemas.js';

/** Seconds after which a page that says no end of its own counts as left: Stripe's portal sessions live shorter. */
const LEFT_AFTER_SECONDS = 86_400;

/** What the stream of a checkout tells. */
export interface CheckoutStory {
  readonly started: CheckoutStartedData;
  /** Unix seconds. */
  readonly startedAt: number;
  /** `open` where nothing followed yet. */
  readonly status: CheckoutStatusResponse['status'];
}

/** Reads the stream of a checkout; `null` where Tenure did not begin it. `now` is Unix seconds. */
export function checkoutStory(events: readonly EventEnvelope[], now: number): CheckoutStory | null {
  const begun = events.find((event) => event.type === 'CheckoutStarted');
  if (begun?.type !== 'CheckoutStarted') return null;
  const started = begun.data;
  const startedAt = Math.floor(Date.parse(begun.metadata.recordedAt) / 1_000);
  const reported = reportedStatus(events);
  const isOver = now > (started.expiresAt ?? startedAt + LEFT_AFTER_SECONDS);
  return { started, startedAt, status: reported ?? (isOver ? 'expired' : 'open') };
}

/** What Stripe told of a session, whichever way round it came; `null` while it is open. */
export function reportedStatus(events: readonly EventEnvelope[]): CheckoutStatusResponse['status'] | null {
  let reported: CheckoutStatusResponse['status'] | null = null;
  const isPaid = (status: string | null): boolean => status === 'paid' || status === 'no_payment_required';
  for (const event of events) {
    switch (event.type) {
      case 'CheckoutPaymentSucceeded':
        return 'complete';
      case 'CheckoutCompleted':
      case 'CheckoutRetrieved':
        if (event.data.status === 'complete' && isPaid(event.data.paymentStatus)) return 'complete';
        if (event.data.status === 'complete') reported ??= 'processing';
        if (event.data.status === 'expired') reported ??= 'expired';
        break;
      case 'CheckoutPaymentFailed':
        reported = 'payment_failed';
        break;
      case 'CheckoutExpired':
        reported ??= 'expired';
        break;
    }
  }
  return reported;
}
