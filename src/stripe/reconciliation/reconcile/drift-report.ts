import { z } from 'zod';
import { OBJECT_KINDS } from '../../gateway/object-kind.js';

/** Things of one kind: how many, and the first hundred of them. */
function listOf<T extends z.ZodType>(each: T) {
  return z.strictObject({ count: z.number().int(), first: z.array(each) });
}

/**
 * Where the log and Stripe differed: events that it lacked (`created` is Stripe's second), events and objects that cannot be
 * recorded, objects whose newest state it lacked, and subscriptions, customers and purchases that Stripe no longer has; `ended`
 * says that they count as canceled and deleted (a purchase never does).
 */
export const driftReportSchema = z.strictObject({
  missedEvents: listOf(z.strictObject({ event: z.string(), type: z.string(), created: z.number() })),
  unusableEvents: listOf(z.strictObject({ event: z.string(), why: z.string() })),
  unusableObjects: listOf(z.strictObject({ kind: z.enum(OBJECT_KINDS), id: z.string(), why: z.string() })),
  differences: listOf(
    z.strictObject({
      kind: z.enum(['subscription', 'customer', 'invoice', 'checkout', 'payment']),
      id: z.string(),
    }),
  ),
  gone: listOf(
    z.strictObject({
      kind: z.enum(['subscription', 'customer', 'checkout']),
      id: z.string(),
      ended: z.boolean(),
    }),
  ),
});
export type DriftReport = z.infer<typeof driftReportSchema>;
export type DriftKind = keyof DriftReport;
export type DriftOf<Kind extends DriftKind> = DriftReport[Kind]['first'][number];

/** So many of a kind are listed. */
const FIRST = 100;

/** Collects where the log and Stripe differed. */
export class Drift {
  readonly #report: DriftReport = {
    missedEvents: { count: 0, first: [] },
    unusableEvents: { count: 0, first: [] },
    unusableObjects: { count: 0, first: [] },
    differences: { count: 0, first: [] },
    gone: { count: 0, first: [] },
  };

  add<Kind extends DriftKind>(kind: Kind, what: DriftOf<Kind>): void {
    const list: { count: number; first: DriftOf<Kind>[] } = this.#report[kind];
    list.count += 1;
    if (list.first.length < FIRST) list.first.push(what);
  }

  get report(): DriftReport {
    return this.#report;
  }
}
