/** What the doctor may say; each code has one cause. */
export type FindingCode =
  | 'clock_skew'
  | 'not_allowed'
  | 'endpoint_missing'
  | 'endpoint_disabled'
  | 'endpoint_other_mode'
  | 'endpoint_lacks_types'
  | 'thin_events_unreadable'
  | 'portal_leaves_upgrades_unbilled'
  | 'updates_left_unbilled'
  | 'price_unmapped'
  | 'price_in_two_places'
  | 'dunning_outlasts_grace';

/** Something at Stripe that will hurt, and what to do about it: a sentence each. */
export interface Finding {
  readonly code: FindingCode;
  readonly says: string;
  readonly remedy: string;
}

/** The first few of many, and how many there are besides. */
export function some(words: readonly string[]): string {
  const [shown, more] = [words.slice(0, 5), words.length - 5];
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}
