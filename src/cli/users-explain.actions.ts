import { AsOfReader } from '../audit/as-of/as-of.js';
import { reasonsAsOf } from '../audit/as-of/explain-as-of.js';
import type { AsOfSnapshot } from '../audit/as-of/user-as-of.js';
import type { Snapshot } from '../projections/entitlements/snapshot.js';
import { ExplanationReader } from '../projections/read-models/explanation.reader.js';
import type { ReasonWithEvents } from '../projections/read-models/reason-events.js';
import type { JsonOption } from './arguments.js';
import { show, type Terminal } from './terminal.js';
import { type ServiceLog, withLog } from './with-log.js';

export interface ExplainOptions extends JsonOption {
  /** Unix ms; left out: now. */
  readonly at?: number;
}

/** `tenure users explain`. */
export async function explainUser(
  terminal: Terminal,
  userId: string,
  { at, ...options }: ExplainOptions,
): Promise<void> {
  const explained = await withLog(terminal, 'read', (log) =>
    at === undefined ? explainNow(log, userId) : explainAt(log, userId, at),
  );
  show(terminal, options, explained, [
    `${explained.userId}: ${explained.plan} (role ${explained.role}, status ${explained.status})`,
    ...explained.reasons.flatMap(linesOf),
  ]);
}

type ExplainedSnapshot = (Snapshot | AsOfSnapshot) & { readonly reasons: readonly ReasonWithEvents[] };

async function explainNow(
  { settings: { streamPrefix }, store, pool, now }: ServiceLog,
  userId: string,
): Promise<ExplainedSnapshot> {
  const reader = new ExplanationReader({ pool, store, streamPrefix, now });
  const { served, reasons } = await reader.explain(userId);
  return { ...served.snapshot, reasons };
}

async function explainAt(
  { settings: { streamPrefix }, store, pool, now }: ServiceLog,
  userId: string,
  at: number,
): Promise<ExplainedSnapshot> {
  // Asked of a moment that things happened by, nobody waits for a position.
  const reader = new AsOfReader({ pool, store, streamPrefix, now, reach: async () => false });
  const answer = await reader.asOf(userId, { at, knownAt: null });
  return { ...answer.snapshot, reasons: await reasonsAsOf(answer) };
}

/** What is explained and by which rule, the words, and the events behind them. */
function linesOf({ of, code, words, events }: ReasonWithEvents): readonly string[] {
  const told = events.map(
    ({ position, type, stripeEventId }) =>
      `  ${position ?? '-'}  ${type ?? 'not found'}  ${stripeEventId ?? '-'}`,
  );
  return ['', `${of} (${code})`, `  ${words}`, ...told];
}
