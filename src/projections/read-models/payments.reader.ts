import type { Pool } from 'pg';
import { z } from 'zod';
import type { PaymentObservation } from '../../policy/facts.js';
import { moneyBackOf } from '../../policy/money-back.js';
import { compareFactOrigins } from '../../policy/order.js';
import { paymentText } from '../entitlements/fact-rows.js';
import { warningsToAct } from '../entitlements/payment-facts.js';
import { LIVE } from './live-generation.js';
import type { Listing } from './ops.reader.js';

const factsRow = z.object({ payment: z.string(), facts: z.string() });
const warnedRow = factsRow.extend({ invoices: z.array(z.string()), users: z.array(z.string()) });

/** A dispute that asks money back, as it was seen last. Amounts are minor units. */
export interface ListedDispute {
  readonly dispute: string;
  readonly status: string;
  readonly amount: number | null;
  readonly currency: string | null;
}

/**
 * A payment that no invoice and no checkout session is named with, so that what was refunded or disputed of it takes nothing.
 * `since` is when Stripe first told of it, RFC 3339.
 */
export interface UnjoinedPayment {
  readonly payment: string;
  readonly charges: readonly string[];
  readonly since: string;
  readonly disputes: readonly ListedDispute[];
  /** In minor units, as the newest sight of its charges says; `null` where none was seen. */
  readonly refunded: { readonly amount: number | null; readonly currency: string | null } | null;
}

/** An early fraud warning that can still be acted on, with the invoices that its payment paid and whose they are. */
export interface ListedFraudWarning {
  readonly payment: string;
  readonly warning: string;
  readonly fraudType: string | null;
  readonly charge: string | null;
  /** When Stripe told of it last, RFC 3339. */
  readonly at: string;
  readonly invoices: readonly string[];
  readonly users: readonly string[];
}

/** Lists payments for operators. Each answer is one statement. */
export class PaymentsReader {
  constructor(private readonly pool: Pool) {}

  /** Up to `limit` payments by id, after the id `cursor`. */
  async unjoined(cursor: string | null, limit: number): Promise<Listing<UnjoinedPayment>> {
    const { rows } = await this.pool.query(
      `select payment, facts from tenure.payment
       where generation = ${LIVE} and not joined and payment > $1 order by payment limit $2`,
      [cursor ?? '', limit],
    );
    const found = z.array(factsRow).parse(rows);
    return { items: found.map(toUnjoined), next: nextOf(found, limit) };
  }

  /** The warnings of up to `limit` payments by id, after the id `cursor`. */
  async fraudWarnings(cursor: string | null, limit: number): Promise<Listing<ListedFraudWarning>> {
    const { rows } = await this.pool.query(
      `select p.payment, p.facts,
         array(select i.other from tenure.payment_join i where i.generation = p.generation and i.kind = 'payment'
           and i.id = p.payment and i.other_kind = 'invoice' order by 1) as invoices,
         array(select distinct s.owner from tenure.payment_join i
           join tenure.payment_join o on o.generation = i.generation and o.kind = 'invoice' and o.id = i.other
             and o.other_kind = 'subscription'
           join tenure.subscription s on s.generation = o.generation and s.subscription = o.other
           where i.generation = p.generation and i.kind = 'payment' and i.id = p.payment
             and i.other_kind = 'invoice' and s.owner is not null order by 1) as users
       from tenure.payment p
       where p.generation = ${LIVE} and p.warned and p.payment > $1 order by p.payment limit $2`,
      [cursor ?? '', limit],
    );
    const found = z.array(warnedRow).parse(rows);
    return { items: found.flatMap(toWarnings), next: nextOf(found, limit) };
  }
}

function toUnjoined({ payment, facts }: z.infer<typeof factsRow>): UnjoinedPayment {
  const told = factsIn(facts);
  const { disputes, charge } = moneyBackOf({ ids: [payment], told, namedBy: [] });
  return {
    payment,
    charges: [...new Set(told.flatMap(({ data }) => data.charge ?? []))].sort(),
    since: timeOf(told[0]),
    disputes: disputes.map(({ data: { dispute, status, amount, currency } }) => ({
      dispute,
      status,
      amount,
      currency,
    })),
    refunded: charge === null ? null : { amount: charge.data.amountRefunded, currency: charge.data.currency },
  };
}

function toWarnings({
  payment,
  facts,
  invoices,
  users,
}: z.infer<typeof warnedRow>): readonly ListedFraudWarning[] {
  return warningsToAct(factsIn(facts)).map((told) => {
    const { warning, fraudType, charge } = told.data;
    return { payment, warning, fraudType, charge, at: timeOf(told), invoices, users };
  });
}

/** Oldest first. */
function factsIn(text: string): readonly PaymentObservation[] {
  return paymentText.parse(JSON.parse(text)).sort(compareFactOrigins);
}

function timeOf(told: PaymentObservation | undefined): string {
  if (told === undefined) throw new Error('a payment is kept of which nothing was told');
  return new Date(told.created * 1000).toISOString();
}

function nextOf(found: readonly { readonly payment: string }[], limit: number): string | null {
  return found.length === limit ? (found.at(-1)?.payment ?? null) : null;
}
