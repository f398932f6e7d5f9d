/** What a dispute in each state of Stripe's does with the money (DESIGN 8): Stripe, Dispute `status`. */
const TAKES: ReadonlyMap<string, 'money' | 'nothing' | 'by its case'> = new Map([
  ['needs_response', 'money'],
  ['under_review', 'money'],
  ['appeal_needs_response', 'money'],
  ['appeal_under_review', 'money'],
  ['lost', 'money'],
  ['prevented', 'by its case'],
  ['warning_needs_response', 'nothing'],
  ['warning_under_review', 'nothing'],
  ['warning_closed', 'nothing'],
  ['won', 'nothing'],
]);

/** Whether a dispute's status is one that Stripe's enumeration has today; others change nothing and are counted. */
export function isKnownDisputeStatus(status: string): boolean {
  return TAKES.has(status);
}

/** Whether a dispute in this state takes the money back. One that was prevented does where the money went back to resolve it. */
export function takesMoney({
  status,
  caseType,
}: {
  readonly status: string;
  readonly caseType: string | null;
}): boolean {
  const takes = TAKES.get(status);
  return takes === 'money' || (takes === 'by its case' && caseType === 'resolution');
}
