/** What happens when a method is attached, charged, and afterwards. */
export interface CardBehaviour {
  /** Decline code of every charge, from the attempt to attach it on where `refusesToAttach`; `null`: it pays. */
  readonly decline: string | null;
  readonly refusesToAttach: boolean;
  /** When the buyer must prove who they are: always, or on the first payment only. */
  readonly authentication: 'none' | 'always' | 'on_setup';
  /** Reason of the dispute that follows a charge at once, `inquiry` for one that takes no money yet. */
  readonly dispute: 'fraudulent' | 'product_not_received' | 'inquiry' | null;
  /** A refund of it succeeds at once, stays pending first, or fails later. */
  readonly refund: 'succeeds' | 'pending' | 'fails';
  readonly earlyFraudWarning: boolean;
}

export interface TestCard extends CardBehaviour {
  readonly kind: 'card';
  readonly number: string;
  readonly brand: string;
}

/** A US bank account: a debit of it is under way for days, then settles or fails for this reason. */
export interface TestBankAccount {
  readonly kind: 'us_bank_account';
  readonly last4: string;
  readonly failure: string | null;
}

const PAYS: CardBehaviour = {
  decline: null,
  refusesToAttach: false,
  authentication: 'none',
  dispute: null,
  refund: 'succeeds',
  earlyFraudWarning: false,
};

function card(number: string, behaviour: Partial<CardBehaviour> = {}, brand = 'visa'): TestCard {
  return { kind: 'card', number, brand, ...PAYS, ...behaviour };
}

function declined(number: string, decline: string): TestCard {
  return card(number, { decline, refusesToAttach: true });
}

function bank(last4: string, failure: string | null): TestBankAccount {
  return { kind: 'us_bank_account', last4, failure };
}

/** Stripe's published test methods (Stripe: "Test cards", "Test ACH Direct Debit") by their tokens. */
export const TEST_METHODS: Readonly<Record<string, TestCard | TestBankAccount>> = {
  pm_card_visa: card('4242424242424242'),
  pm_card_visa_debit: card('4000056655665556'),
  pm_card_mastercard: card('5555555555554444', {}, 'mastercard'),
  pm_card_amex: card('378282246310005', {}, 'amex'),
  pm_card_discover: card('6011111111111117', {}, 'discover'),
  pm_card_jcb: card('3566002020360505', {}, 'jcb'),
  pm_card_chargeDeclined: declined('4000000000000002', 'generic_decline'),
  pm_card_visa_chargeDeclined: declined('4000000000000002', 'generic_decline'),
  pm_card_chargeDeclinedInsufficientFunds: declined('4000000000009995', 'insufficient_funds'),
  pm_card_visa_chargeDeclinedInsufficientFunds: declined('4000000000009995', 'insufficient_funds'),
  pm_card_chargeDeclinedLostCard: declined('4000000000009987', 'lost_card'),
  pm_card_chargeDeclinedStolenCard: declined('4000000000009979', 'stolen_card'),
  pm_card_chargeDeclinedExpiredCard: declined('4000000000000069', 'expired_card'),
  pm_card_chargeDeclinedIncorrectCvc: declined('4000000000000127', 'incorrect_cvc'),
  pm_card_chargeDeclinedProcessingError: declined('4000000000000119', 'processing_error'),
  pm_card_chargeDeclinedFraudulent: declined('4100000000000019', 'fraudulent'),
  pm_card_chargeCustomerFail: card('4000000000000341', { decline: 'generic_decline' }),
  pm_card_authenticationRequired: card('4000002760003184', { authentication: 'always' }),
  pm_card_authenticationRequiredOnSetup: card('4000002500003155', { authentication: 'on_setup' }),
  pm_card_authenticationRequiredSetupForOffSession: card('4000003800000446', { authentication: 'on_setup' }),
  pm_card_threeDSecure2Required: card('4000000000003220', { authentication: 'always' }),
  pm_card_authenticationRequiredChargeDeclinedInsufficientFunds: card('4000008260003178', {
    authentication: 'on_setup',
    decline: 'insufficient_funds',
  }),
  pm_card_createDispute: card('4000000000000259', { dispute: 'fraudulent' }),
  pm_card_createDisputeProductNotReceived: card('4000000000002685', { dispute: 'product_not_received' }),
  pm_card_createDisputeInquiry: card('4000000000001976', { dispute: 'inquiry' }),
  pm_card_createIssuerFraudRecord: card('4000000000005423', { earlyFraudWarning: true }),
  pm_card_pendingRefund: card('4000000000007726', { refund: 'pending' }),
  pm_card_refundFail: card('4000000000005126', { refund: 'fails' }),
  pm_usBankAccount: bank('6789', null),
  pm_usBankAccount_success: bank('6789', null),
  pm_usBankAccount_accountClosed: bank('1111', 'account_closed'),
  pm_usBankAccount_noAccount: bank('1113', 'no_account'),
  pm_usBankAccount_insufficientFunds: bank('2227', 'insufficient_funds'),
  pm_usBankAccount_debitNotAuthorized: bank('3335', 'debit_not_authorized'),
};

/** The token of a card with this number, as it is typed into a page; `null` for one that is no test card. */
export function tokenOfNumber(number: string): string | null {
  const digits = number.replaceAll(/\D/g, '');
  const found = Object.entries(TEST_METHODS).find(
    ([, method]) => method.kind === 'card' && method.number === digits,
  );
  return found?.[0] ?? null;
}

/** What a decline says (Stripe: "Decline codes"). */
export function declineMessage(code: string): string {
  return DECLINES[code] ?? 'Your card was declined.';
}

/** `code` of the error: some declines have one of their own. */
export function errorCodeOf(decline: string): string {
  return OWN_CODES.has(decline) ? decline : 'card_declined';
}

const OWN_CODES = new Set(['expired_card', 'incorrect_cvc', 'processing_error', 'authentication_required']);

const DECLINES: Readonly<Record<string, string>> = {
  insufficient_funds: 'Your card has insufficient funds.',
  expired_card: 'Your card has expired.',
  incorrect_cvc: "Your card's security code is incorrect.",
  processing_error: 'An error occurred while processing your card. Try again in a little bit.',
  authentication_required: 'Your card was declined. This transaction requires authentication.',
};
