import type { PoolClient } from 'pg';
import { z } from 'zod';

/** An event that facts were folded from: Stripe's id, else our own; its type at Stripe ('' for ours); Unix seconds. */
export interface LostEvent {
  readonly id: string;
  readonly type: string;
  readonly created: number;
}

/** Every table with facts, and the column with the texts that name the events they are from. */
const TEXTS = [
  ['subscription_fact', 'body'],
  ['customer', 'facts'],
  ['checkout', 'facts'],
  ['payment', 'facts'],
  ['grant', 'facts'],
  ['override', 'facts'],
] as const;

/** What tells the event of a fact: of Stripe's and of links with its second, of what was said by hand with the millisecond. */
const origin = z.union([
  z.looseObject({ eventId: z.string(), stripeType: z.string(), created: z.number() }),
  z.looseObject({ eventId: z.string(), recordedAt: z.number() }).transform(({ eventId, recordedAt }) => ({
    eventId,
    stripeType: '',
    created: Math.floor(recordedAt / 1_000),
  })),
]);
const textRows = z.array(z.object({ text: z.string() }));

/** The events of the facts of one generation that no fact of another one is from, oldest first. */
export async function lostEvents(
  client: PoolClient,
  from: number,
  to: number,
): Promise<{ readonly stripe: readonly LostEvent[]; readonly own: readonly LostEvent[] }> {
  const lost = new Map<string, LostEvent>();
  const kept = new Map<string, LostEvent>();
  for (const [table, column] of TEXTS) {
    for (const [one, other, into] of [
      [from, to, lost],
      [to, from, kept],
    ] as const) {
      const { rows } = await client.query(
        `select ${column} as text from tenure.${table} where generation = $1
         except select ${column} from tenure.${table} where generation = $2`,
        [one, other],
      );
      for (const { text } of textRows.parse(rows)) collect(JSON.parse(text), into);
    }
  }
  for (const id of kept.keys()) lost.delete(id);
  const all = [...lost.values()].sort((a, b) => a.created - b.created || (a.id < b.id ? -1 : 1));
  return { stripe: all.filter(isStripes), own: all.filter((event) => !isStripes(event)) };
}

/** Notes every event that a JSON value names as what a fact is from, however deep. */
function collect(value: unknown, into: Map<string, LostEvent>): void {
  if (typeof value !== 'object' || value === null) return;
  const found = origin.safeParse(value);
  if (found.success) {
    const { eventId: id, stripeType: type, created } = found.data;
    into.set(id, { id, type, created });
  }
  for (const part of Object.values(value)) collect(part, into);
}

function isStripes({ type }: LostEvent): boolean {
  return type !== '';
}
