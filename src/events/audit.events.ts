import { z } from 'zod';

/**
 * Somebody read what is kept for audits. `reader` is who, as events name actors; `kind` what was read (`history`, `events`,
 * `entitlements`, `replay`, `checkpoint`, `export`; more will come); `userId` of whom, `null` for everyone; `hour` the beginning of the hour (RFC
 * 3339, UTC, ms) in which it was read first: one event stands for all of that hour.
 */
export const auditAccessedSchema = z.strictObject({
  reader: z.string(),
  kind: z.string(),
  userId: z.string().nullable(),
  hour: z.iso.datetime({ precision: 3 }),
});
export type AuditAccessedData = z.infer<typeof auditAccessedSchema>;
