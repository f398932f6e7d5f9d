/** Every type of message that endpoints can ask for, and when it goes out. `docs/WEBHOOKS.md` holds the same table. */
export const MESSAGE_TYPES = {
  'access.changed': 'role, plan, status, features or limits of a user are others: their version grew',
  'access.ended': 'nothing that was bought or granted gives the user a plan any more',
  'plan.changed': 'the user has another plan',
  'payment.past_due': 'the status of what gives the plan became past_due: grace runs',
  'upgrade.pending': 'a higher plan was asked for and its payment is waited for',
  'cancellation.scheduled': 'access will end at `cancelAt`',
  'cancellation.withdrawn': 'access will not end at the `cancelAt` that was said before',
  'trial.ending': 'Stripe says that a trial ends soon',
  'limit.reached': 'a report of usage says that all of a limit is in use, and less was before',
  'limit.exceeded':
    'more of a limit is in use than is allowed, and was not before: by a report or a lower limit',
} as const;

export type MessageType = keyof typeof MESSAGE_TYPES;

export const MESSAGE_TYPE_NAMES = Object.keys(MESSAGE_TYPES) as [MessageType, ...MessageType[]];

/** What sends no messages unless an endpoint asks for it. */
export const BULK_SOURCES = ['import', 'publication'] as const;
export type BulkSource = (typeof BULK_SOURCES)[number];
