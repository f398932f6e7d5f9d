import { quantile } from '../report.js';
import type { Arrival, Payment, WholeLoad } from './protocol.js';

/** A part of the load that is told apart, by when webhooks were due; Unix milliseconds. */
export interface Span {
  readonly name: string;
  readonly from: number;
  readonly until: number;
}

/** What happens to a payment, in order, and the milliseconds of each since the webhook was due and since it was committed. */
export const STAGES = ['committed', 'visible', 'pushed', 'sent'] as const;
export type Stage = (typeof STAGES)[number];

export interface Delays {
  readonly sinceDue: readonly number[];
  readonly sinceCommit: readonly number[];
}

/** What became of all payments: their delays, and how many versions were told only with a later one of the same user. */
export interface Outcome {
  readonly of: (span: Span, stage: Stage) => Delays;
  readonly joined: { readonly pushed: number; readonly sent: number };
}

/** @throws Error when a change was never told, or not in order */
export function outcomeOf({ payments, pushed }: WholeLoad, sent: readonly Arrival[]): Outcome {
  const [streams, messages] = [new Told('a stream', pushed), new Told('the receiver', sent)];
  const seen = payments.map((payment) => ({
    payment,
    committed: payment.answered,
    visible: payment.visible,
    pushed: streams.at(payment),
    sent: messages.at(payment),
  }));
  return {
    of: (span, stage) => {
      const sinceDue: number[] = [];
      const sinceCommit: number[] = [];
      for (const each of seen) {
        const { due, answered } = each.payment;
        const at = each[stage];
        if (due < span.from || due >= span.until || at === null) continue;
        sinceDue.push(at - due);
        sinceCommit.push(Math.max(0, at - answered));
      }
      return { sinceDue, sinceCommit };
    },
    joined: { pushed: streams.joined, sent: messages.joined },
  };
}

/** When each version of each user was told to somebody. */
class Told {
  readonly #arrivals = new Map<number, Arrival[]>();
  joined = 0;

  constructor(
    private readonly whom: string,
    arrivals: readonly Arrival[],
  ) {
    for (const arrival of arrivals) {
      const known = this.#arrivals.get(arrival.user);
      const last = known?.at(-1)?.version ?? Number.NEGATIVE_INFINITY;
      if (arrival.version < last) {
        throw new Error(`${whom} was told version ${arrival.version} of ${arrival.user} behind ${last}`);
      }
      if (known === undefined) this.#arrivals.set(arrival.user, [arrival]);
      else if (arrival.version > last) known.push(arrival);
    }
  }

  /** When this version came, or a later one that was told in its place. */
  at({ user, version }: Payment): number {
    const found = this.#arrivals.get(user)?.find((arrival) => arrival.version >= version);
    if (found === undefined) throw new Error(`${this.whom} was never told version ${version} of ${user}`);
    if (found.version > version) this.joined += 1;
    return found.at;
  }
}

/** `12.3`; a dash where there is nothing. */
export function percentile(figures: readonly number[], part: number): string {
  return figures.length === 0 ? '–' : quantile(figures, part).toFixed(1);
}
