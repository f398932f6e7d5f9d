import { z } from 'zod';
import { isUserId } from '../../events/user-id.js';
import type { ImportJob } from '../../stripe/reconciliation/import/import-jobs.js';
import { IMPORTED_LISTS } from '../../stripe/reconciliation/import/import-pages.js';
import { importReportSchema } from '../../stripe/reconciliation/import/import-report.schema.js';
import { id } from '../../stripe/translate/read-json.js';

/** Bodies of an import, and of the answers. */
export const importRequest = z.strictObject({
  dryRun: z.boolean().default(false),
  links: z
    .array(
      z.strictObject({
        customer: z.string().refine((value) => id(value) !== null, 'must be an id of Stripe'),
        userId: z.string().refine(isUserId, 'must be a user id'),
      }),
    )
    .max(10_000)
    .default([]),
});
export type ImportRequest = z.infer<typeof importRequest>;

const count = z.number().int();
export const importResponse = z.strictObject({
  id: z.string(),
  afterwards: z.enum(['record', 'report']),
  phase: z.enum(['reading', 'recording', 'done', 'failed']),
  actor: z.string(),
  startedAt: z.string(),
  finishedAt: z.string().nullable(),
  list: z.enum(IMPORTED_LISTS),
  cursor: z.string().nullable(),
  subscriptions: count,
  purchases: count,
  disputes: count,
  refunds: count,
  warnings: count,
  read: count,
  recorded: count,
  unchanged: count,
  unusable: count,
  secondsLeft: z.number().nullable(),
  report: importReportSchema.nullable(),
  failure: z.string().nullable(),
}) satisfies z.ZodType<ImportJob & { secondsLeft: number | null }>;
