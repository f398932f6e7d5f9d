import { z } from 'zod';
import { driftReportSchema } from '../../stripe/reconciliation/reconcile/drift-report.js';
import type { ReconciliationJob } from '../../stripe/reconciliation/reconcile/reconciliation-jobs.js';

/** Bodies of a reconciliation, and of the answers. */
export const reconciliationRequest = z.strictObject({
  dryRun: z.boolean().default(false),
  gone: z.enum(['list', 'end']).default('list'),
});
export type ReconciliationRequest = z.infer<typeof reconciliationRequest>;

export const reconciliationResponse = z.strictObject({
  id: z.string(),
  afterwards: z.enum(['record', 'report']),
  gone: z.enum(['end', 'list']),
  phase: z.enum(['running', 'done', 'failed']),
  actor: z.string(),
  startedAt: z.string(),
  finishedAt: z.string().nullable(),
  events: z.number().int(),
  subscriptions: z.number().int(),
  purchases: z.number().int(),
  disputes: z.number().int(),
  refunds: z.number().int(),
  warnings: z.number().int(),
  report: driftReportSchema.nullable(),
  failure: z.string().nullable(),
}) satisfies z.ZodType<ReconciliationJob>;
