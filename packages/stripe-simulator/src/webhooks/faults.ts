import { z } from 'zod';

/** What goes wrong with the deliveries that come next, each with a chance from 0 to 1. */
export const faultsSchema = z.strictObject({
  /** Never posted, though it counts as delivered: what an endpoint loses after its 200, or a proxy before it. */
  drop: z.number().min(0).max(1).default(0),
  /** Posted twice. */
  duplicate: z.number().min(0).max(1).default(0),
  /** Posted later, by so many seconds of the clock at most. */
  delay: z.number().min(0).max(1).default(0),
  delay_seconds: z.number().int().min(1).default(3_600),
  /** Kept back and posted in another order, so many at a time; 1 keeps the order. */
  reorder: z.number().int().min(1).max(1_000).default(1),
  /** Types that are meant; all when left out. */
  types: z.array(z.string()).optional(),
});

export type Faults = z.output<typeof faultsSchema>;

export const NO_FAULTS: Faults = faultsSchema.parse({});
