/** What the Dashboard sets for the whole account. */
export interface Settings {
  /** Days after the first failed attempt on which a payment is tried again. */
  readonly retry_after_days: readonly number[];
  /** What becomes of a subscription when the last attempt has failed. */
  readonly after_dunning: 'cancel' | 'mark_unpaid' | 'leave_past_due';
  /** Whether the invoice is written off with it. */
  readonly invoice_after_dunning: 'leave_open' | 'mark_uncollectible';
  /** Seconds for which an invoice of a new period stays a draft. */
  readonly draft_seconds: number;
  /** Days for which a bank debit is under way. */
  readonly bank_debit_days: number;
  /** Days before a renewal at which `invoice.upcoming` is told; 0: never. */
  readonly upcoming_days: number;
  /** Requests a second that are answered, with bursts of as many; `null`: any number. Real seconds, not the clock's. */
  readonly requests_per_second: number | null;
  /** Real milliseconds until the API answers what it has done. */
  readonly answer_ms: number;
}

export const DEFAULT_SETTINGS: Settings = {
  retry_after_days: [3, 5, 7],
  after_dunning: 'cancel',
  invoice_after_dunning: 'leave_open',
  draft_seconds: 3_600,
  bank_debit_days: 4,
  upcoming_days: 0,
  requests_per_second: null,
  answer_ms: 0,
};
