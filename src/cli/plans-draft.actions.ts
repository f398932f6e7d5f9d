import { parsePlanFile } from '../plans/plan-file.js';
import { readProducts } from '../stripe/gateway/products.js';
import { draftPlanFile } from '../stripe/reconciliation/plan-draft.js';
import type { Terminal } from './terminal.js';
import { withStripe } from './with-stripe.js';

/** `tenure plans draft`. */
export async function draftPlans(terminal: Terminal): Promise<void> {
  const text = draftPlanFile(await withStripe(terminal, null, readProducts));
  parsePlanFile(text, 'draft'); // a draft with faults would be ours
  terminal.out(text);
}
