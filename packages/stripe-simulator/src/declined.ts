import { ApiError } from './api-error.js';
import type { PaymentIntent } from './types.js';

/** What a declined payment answers: 402 with the intent (Stripe: "Declines"). */
export function declined(intent: PaymentIntent): ApiError {
  const error = intent.last_payment_error;
  return new ApiError(402, 'card_error', error?.message ?? 'Your card was declined.', {
    ...(error?.code === undefined ? {} : { code: error.code }),
    ...(error?.decline_code === undefined ? {} : { decline_code: error.decline_code }),
    payment_intent: intent,
  });
}
