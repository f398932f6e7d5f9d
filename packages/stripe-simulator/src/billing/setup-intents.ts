import type { Account } from '../account.js';
import type { Customer, PaymentMethod, SetupIntent } from '../types.js';

/** A method that was set up for later, by the buyer who was there. */
export function createSetupIntent(
  account: Account,
  customer: Customer | null,
  method: PaymentMethod | null,
): SetupIntent {
  const id = account.ids.next('seti');
  const intent: SetupIntent = {
    id,
    object: 'setup_intent',
    allowed_payment_method_types: null,
    application: null,
    automatic_payment_methods: null,
    cancellation_reason: null,
    client_secret: `${id}_secret_${account.ids.letters(25)}`,
    created: account.now,
    customer: customer?.id ?? null,
    customer_account: null,
    description: null,
    excluded_payment_method_types: null,
    flow_directions: null,
    last_setup_error: null,
    latest_attempt: null,
    livemode: false,
    mandate: null,
    metadata: {},
    next_action: null,
    on_behalf_of: null,
    payment_method: method?.id ?? null,
    payment_method_configuration_details: null,
    payment_method_options: null,
    payment_method_types: ['card', 'us_bank_account'],
    single_use_mandate: null,
    status: 'succeeded',
    usage: 'off_session',
  };
  if (method !== null) account.authenticated.add(method.id);
  account.emit('setup_intent.created', { ...intent, status: 'requires_confirmation' } as SetupIntent);
  return account.add(account.setupIntents, intent, 'setup_intent.succeeded');
}
