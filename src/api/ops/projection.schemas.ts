import { z } from 'zod';
import { eventSkippedSchema } from '../../events/projection.events.js';
import { projectionFaultSchema } from '../../projections/engine/checkpoint.js';
import { entitlementSchema } from '../../projections/entitlements/user-row.js';
import type { ComparisonReport } from '../../projections/rebuild/comparison.js';
import type { PublicationReport } from '../../projections/rebuild/publication-preview.js';
import { AFTERWARDS, REBUILD_PHASES } from '../../projections/rebuild/rebuild-jobs.js';
import type { SwapReport } from '../../projections/rebuild/swap.js';
import type { VerificationReport } from '../../projections/rebuild/verification.js';
import type { Resumed, Skipped } from '../../projections/recovery.js';
import { requiredReason, setAsideCounts } from '../schemas.js';

/** Bodies of what ops ask of the projections, and of the answers. */
const position = z.string().nullable();
const number = z.number().int();
/** A generation as PostgreSQL can number them. */
const generation = z.number().int().min(1).max(2_147_483_647);

export const rebuildRequest = z.strictObject({
  reason: requiredReason,
  afterwards: z.enum(AFTERWARDS).default('swap'),
});
export const swapRequest = z.strictObject({ generation, reason: requiredReason });
export const rollbackRequest = z.strictObject({ reason: requiredReason, dryRun: z.boolean().default(false) });
export const verifyRequest = z.strictObject({
  users: z.union([z.number().int().min(1).max(1_000_000), z.literal('all')]).default('all'),
});
export const resumeRequest = z.strictObject({
  generation: z.union([generation, z.literal('live')]).default('live'),
});
export const skipRequest = z.strictObject({
  position: z.string().regex(/^\d{1,20}$/, 'must be a position as Tenure gives them'),
  reason: requiredReason,
});
export type RebuildRequest = z.infer<typeof rebuildRequest>;
export type SwapRequest = z.infer<typeof swapRequest>;
export type RollbackRequest = z.infer<typeof rollbackRequest>;
export type VerifyRequest = z.infer<typeof verifyRequest>;
export type ResumeRequest = z.infer<typeof resumeRequest>;
export type SkipRequest = z.infer<typeof skipRequest>;

export const resumedResponse = z.strictObject({
  generation: number,
  fault: projectionFaultSchema.nullable(),
  streams: number,
  users: number,
}) satisfies z.ZodType<Resumed>;
export const skippedResponse = z.strictObject({
  outcome: z.enum(['skipped', 'skipped_before']),
  position: z.string(),
  skipped: eventSkippedSchema.shape.skipped,
  reason: z.string(),
}) satisfies z.ZodType<Skipped>;

const compared = z.strictObject({
  generation: number,
  builtBy: z.string(),
  foldedBy: z.string(),
  mixedAfter: position,
  setAside: setAsideCounts,
});
const kind = z.enum(['role', 'plan', 'status', 'features', 'limits']);
/** Counts of users who change, and the first of them in full. */
const tally = {
  changed: number,
  detailsOnly: number,
  byKind: z.strictObject({ role: number, plan: number, status: number, features: number, limits: number }),
  first: z.array(
    z.strictObject({
      userId: z.string(),
      kinds: z.array(kind),
      before: entitlementSchema,
      after: entitlementSchema,
      versionBefore: number,
      versionAfter: number,
    }),
  ),
};
export const comparisonResponse = z.strictObject({
  at: z.string(),
  position,
  from: compared,
  to: compared,
  ...tally,
  defaultChanged: z.boolean(),
  mixed: z.strictObject({ after: z.string(), users: number, first: z.array(z.string()) }).nullable(),
}) satisfies z.ZodType<ComparisonReport>;
export const swapResponse = comparisonResponse.extend({
  swap: number,
  kind: z.enum(['swap', 'rollback']),
}) satisfies z.ZodType<SwapReport>;

export const publicationResponse = z.strictObject({
  at: z.string(),
  position,
  generation: number,
  hashBefore: z.string(),
  hashAfter: z.string(),
  judged: number,
  ...tally,
  moves: z.array(z.strictObject({ from: z.string(), to: z.string(), users: number })),
  features: z.array(z.strictObject({ feature: z.string(), gained: number, lost: number })),
  limits: z.array(z.strictObject({ limit: z.string(), raised: number, lowered: number })),
  defaultChanged: z.boolean(),
}) satisfies z.ZodType<PublicationReport>;

export const verificationResponse = z.strictObject({
  position,
  generation: number,
  builtBy: z.string(),
  foldedBy: z.string(),
  mixedAfter: position,
  running: z.string(),
  users: number.nullable(),
  foldedLate: z.strictObject({ users: number, first: z.array(z.string()) }),
  differences: number,
  byTable: z.record(z.string(), number),
  first: z.array(
    z.strictObject({
      table: z.string(),
      found: z.enum(['in the live generation', 'in the log']),
      row: z.unknown(),
    }),
  ),
}) satisfies z.ZodType<VerificationReport>;

export const rebuildResponse = z.strictObject({
  generation: number,
  phase: z.enum(REBUILD_PHASES),
  afterwards: z.enum(AFTERWARDS).nullable(),
  actor: z.string(),
  reason: z.string(),
  startedAt: z.string(),
  finishedAt: z.string().nullable(),
  builtBy: z.string().nullable(),
  handled: position,
  live: position,
  events: number.nullable(),
  eventsPerSecond: z.number().nullable(),
  secondsLeft: z.number().nullable(),
  report: z.union([swapResponse.nullable(), comparisonResponse.nullable()]),
  failure: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
});
export const rollbackResponse = swapResponse.partial({ swap: true, kind: true });

export const projectionResponse = z.strictObject({
  name: z.literal('entitlements'),
  state: z.enum(['starting', 'leading', 'standby', 'faulted', 'stopped']),
  generation: number.nullable(),
  handled: position,
  scanned: position,
  head: position,
  lagEvents: z.number(),
  lagSeconds: z.number(),
  fault: projectionFaultSchema.nullable(),
  setAside: setAsideCounts,
  publications: z
    .array(z.strictObject({ position: z.string(), judged: number, users: number }))
    .describe('publications of a catalogue that are under way: users judged of all; empty when none is'),
  generations: z.array(
    z.strictObject({
      generation: number,
      role: z.enum(['building', 'live', 'previous', 'scratch', 'dropping', 'replaced']),
      startedBy: z.string(),
      reason: z.string(),
      startedAt: z.string(),
      afterwards: z.enum(AFTERWARDS).nullable(),
      fold: z
        .strictObject({
          handled: position,
          events: number,
          builtBy: z.string(),
          foldedBy: z.string(),
          mixedAfter: position,
          fault: projectionFaultSchema.nullable(),
          setAside: setAsideCounts,
        })
        .nullable(),
    }),
  ),
  swaps: z.array(
    z.strictObject({
      swap: number,
      kind: z.enum(['swap', 'rollback', 'adoption']),
      from: number,
      to: number,
      position,
      fromCode: z.string(),
      toCode: z.string(),
      usersChanged: number,
      actor: z.string(),
      reason: z.string(),
      at: z.string(),
    }),
  ),
});
export const projectionsResponse = z.strictObject({ projections: z.array(projectionResponse) });
export type ProjectionView = z.infer<typeof projectionResponse>;
