import { z } from 'zod';
import { plainReader } from '../../events/plain-reader.js';
import {
  type AdoptedPrice,
  type Entitlement,
  type EntitlementSource,
  PENDING_PAYMENT_REASONS,
  type PendingPayment,
} from '../../policy/entitlement.js';

/** A payment that is waited for, as the read models keep it. */
export const pendingPaymentSchema = z.strictObject({
  plan: z.string(),
  price: z.string(),
  since: z.string(),
  invoice: z.string().nullable(),
  reason: z.enum(PENDING_PAYMENT_REASONS),
}) satisfies z.ZodType<PendingPayment>;
const withoutReason = pendingPaymentSchema.omit({ reason: true });

/** What gives a plan, as the read models keep it. */
export const entitlementSourceSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('subscription'),
    subscriptionId: z.string(),
    customerId: z.string().nullable(),
  }),
  z.strictObject({
    type: z.literal('purchase'),
    sessionId: z.string(),
    customerId: z.string().nullable(),
  }),
  z.strictObject({ type: z.literal('grant'), grantId: z.string() }),
]) satisfies z.ZodType<EntitlementSource>;

const writtenEntitlement = z.strictObject({
  role: z.string(),
  plan: z.string(),
  status: z.enum([
    'trialing',
    'active',
    'past_due',
    'granted',
    'canceled',
    'unpaid',
    'paused',
    'unknown',
    'none',
  ]),
  features: z.array(z.string()),
  limits: z.record(z.string(), z.union([z.number(), z.literal('unlimited')])),
  subscriptionActive: z.boolean(),
  expiresAt: z.string().nullable(),
  cancelAt: z.string().nullable(),
  pendingPayment: pendingPaymentSchema.nullable(),
  source: entitlementSourceSchema.nullable(),
  unmappedPrices: z.array(z.string()),
  validUntil: z.string().nullable(),
}) satisfies z.ZodType<Entitlement>;

/** Reads an entitlement as this code writes it; `undefined`: `entitlementSchema` is to be asked. */
export const plainEntitlement = plainReader<Entitlement>(writtenEntitlement);

/** An entitlement as the read models keep it: what the policy said, parsed back from its text. */
export const entitlementSchema = z.strictObject({
  ...writtenEntitlement.shape,
  pendingPayment: z.preprocess(withReason, pendingPaymentSchema.nullable()),
}) satisfies z.ZodType<Entitlement>;

/** Rows that code before reasons wrote have none: their invoice gives it then. */
function withReason(pending: unknown): unknown {
  const read = withoutReason.safeParse(pending);
  if (!read.success) return pending; // the schema of today says what is wrong with it
  return { ...read.data, reason: read.data.invoice === null ? 'no_invoice' : 'invoice_open' };
}

/** Adopted prices as the read models keep them. */
export const adoptedPricesSchema = z.array(
  z.strictObject({ price: z.string(), plan: z.string() }),
) satisfies z.ZodType<AdoptedPrice[]>;

/** What the entitlement becomes at `at` (Unix ms), and the version's counter from then on. */
export interface VersionedSuccessor {
  readonly at: number;
  readonly counter: number;
  readonly entitlement: Entitlement;
}
export const versionedSuccessorSchema = z.strictObject({
  at: z.number(),
  counter: z.number().int(),
  entitlement: entitlementSchema,
}) satisfies z.ZodType<VersionedSuccessor>;
const plainSuccessors = plainReader<VersionedSuccessor[]>(
  z.array(z.strictObject({ ...versionedSuccessorSchema.shape, entitlement: writtenEntitlement })),
);

/**
 * A user's row: what holds, what follows by time alone, the version's counter, and the event (position, Unix ms) that
 * last changed it; both are `null` while nothing did. `historySeq` counts the user's history rows. `catalog` is
 * the position of the catalogue that the user was last judged by; null for who never was. `adoptedPrices` are for ops.
 */
export interface UserRow {
  readonly userId: string;
  readonly entitlement: Entitlement;
  readonly successors: readonly VersionedSuccessor[];
  readonly counter: number;
  readonly position: string | null;
  readonly changedAt: number | null;
  readonly historySeq: number;
  readonly catalog: string | null;
  readonly adoptedPrices: readonly AdoptedPrice[];
}

/** What is kept of a user as JSON texts, read back; `null` when it cannot be. */
export function parseSnapshotTexts(
  snapshot: string,
  successors: string,
): Pick<UserRow, 'entitlement' | 'successors'> | null {
  try {
    const [held, follows]: readonly unknown[] = [JSON.parse(snapshot), JSON.parse(successors)];
    const [plain, plainLater] = [plainEntitlement(held), plainSuccessors(follows)];
    if (plain !== undefined && plainLater !== undefined)
      return { entitlement: plain, successors: plainLater };
    const entitlement = entitlementSchema.safeParse(held);
    const later = z.array(versionedSuccessorSchema).safeParse(follows);
    if (!entitlement.success || !later.success) return null;
    return { entitlement: entitlement.data, successors: later.data };
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** What a row says of the moment `now` (Unix ms): also when nobody has written the change by time yet. */
export function snapshotAt(
  row: Pick<UserRow, 'entitlement' | 'successors' | 'counter' | 'changedAt'>,
  now: number,
): Pick<UserRow, 'entitlement' | 'counter' | 'changedAt'> {
  const due = row.successors.findLast(({ at }) => at <= now);
  return due === undefined ? row : { entitlement: due.entitlement, counter: due.counter, changedAt: due.at };
}

/** One snapshot that was in force from `validFrom` (Unix ms) on, and what made it so. */
export interface HistoryEntry {
  readonly userId: string;
  readonly seq: number;
  readonly validFrom: number;
  readonly cause: Cause;
  readonly counter: number;
  readonly raised: boolean;
  readonly entitlement: Entitlement;
  /** Last event folded when the cause was folded on, late; `null` for a change in the log's order. */
  readonly lateAt: string | null;
}

/** What changed a snapshot: an event of the log, or the clock alone. */
export type Cause =
  | { readonly kind: 'time' }
  | {
      readonly kind: 'event';
      readonly eventId: string;
      readonly eventType: string;
      readonly position: string;
    };

/** The row of a user who has none yet: the default plan and version 0. */
export function defaultUserRow(userId: string, byDefault: Entitlement): UserRow {
  return {
    userId,
    entitlement: byDefault,
    successors: [],
    counter: 0,
    position: null,
    changedAt: null,
    historySeq: 0,
    catalog: null,
    adoptedPrices: [],
  };
}

/** The JSON of what follows by time, as it is kept. */
export function textOfSuccessors(successors: readonly VersionedSuccessor[]): string {
  const each = successors.map(
    ({ at, counter, entitlement }) =>
      `{"at":${at},"counter":${counter},"entitlement":${textOf(entitlement)}}`,
  );
  return `[${each.join(',')}]`;
}

const texts = new WeakMap<Entitlement, string>();

/** The JSON of an entitlement, as it is kept and compared: made once, because each is asked for again and again. */
export function textOf(entitlement: Entitlement): string {
  const known = texts.get(entitlement);
  if (known !== undefined) return known;
  const text = JSON.stringify(entitlement);
  texts.set(entitlement, text);
  return text;
}
