import type { Pool } from 'pg';
import { z } from 'zod';
import type { CheckoutObservation, InvoiceObservation } from '../../policy/facts.js';
import { isSaleUnknown } from '../../policy/purchases.js';
import { checkoutText, invoiceText } from '../entitlements/fact-rows.js';
import { LIVE } from './live-generation.js';

const suspectRow = z.object({
  subscription: z.string(),
  in_doubt: z.boolean().nullable(),
  invoices: z.array(z.string()),
});
const namingRow = z.object({ subscription: z.string(), facts: z.string() });
const saleRow = z.object({ session: z.string(), facts: z.string() });
const customerRow = z.object({ customer: z.string() });
const paymentRow = z.object({ payment: z.string() });
const joinedRow = z.object({ joined: z.boolean() });
const lastRow = z.tuple([z.object({ last: z.string().nullable() })]);

/** A subscription of which its newest second may leave a doubt, and what was told of its invoices with lines cut. */
export interface Suspect {
  readonly subscription: string;
  readonly isInDoubt: boolean;
  readonly invoices: readonly InvoiceObservation[];
}

/** A subscription without a fact of its own, or incomplete by all of them, and what was told of a session that names it. */
export interface UnseenSubscription {
  readonly subscription: string;
  readonly checkouts: readonly CheckoutObservation[];
}

/** A part of a walk; `next` is where the next one begins, `null` at the end. */
export interface WalkPart<T> {
  readonly found: readonly T[];
  readonly next: string | null;
}

/**
 * Finds in the folded facts what may be in doubt (DESIGN 5.4), a slice by id at a time: cheaply and too much rather than too
 * little, as the log has the last word. `after` is the `next` of the part before, at first an empty text.
 */
export class DoubtReader {
  constructor(private readonly pool: Pool) {}

  /** Looks at so many subscriptions. Of bodies no more is parsed than of what is found. */
  async suspects(after: string, limit: number): Promise<WalkPart<Suspect>> {
    const { rows } = await this.pool.query(
      `with slice as (
         select subscription from tenure.subscription
         where generation = ${LIVE} and subscription > $1 order by subscription limit $2),
       facts as (
         select f.subscription, f.kind, f.body,
           case f.kind when 'observation' then substring(f.body from '"created":([0-9]+)')::bigint end as second
         from tenure.subscription_fact f join slice using (subscription)
         where f.generation = ${LIVE} and f.kind <> 'link'),
       newest as (select subscription, max(second) as second from facts group by subscription)
       select subscription,
         count(*) filter (where f.second = n.second) > 1
           or bool_or(f.second = n.second and strpos(f.body, '"itemsTruncated":true') > 0) as in_doubt,
         coalesce(array_agg(f.body) filter (where f.kind = 'invoice'
           and strpos(f.body, '"linesTruncated":true') > 0), '{}') as invoices
       from facts f join newest n using (subscription) group by subscription order by subscription`,
      [after, limit],
    );
    const found = z
      .array(suspectRow)
      .parse(rows)
      .map((row) => ({
        subscription: row.subscription,
        isInDoubt: row.in_doubt === true,
        invoices: row.invoices.map((body) => invoiceText.parse(JSON.parse(body))),
      }));
    return {
      found: found.filter(({ isInDoubt, invoices }) => isInDoubt || invoices.length > 0),
      next: await this.#lastOf('subscription', after, limit),
    };
  }

  /** Looks at so many checkout sessions for subscriptions that they name, and that were not seen, or never but incomplete. */
  async unseen(after: string, limit: number): Promise<WalkPart<UnseenSubscription>> {
    const { rows } = await this.pool.query(
      `with slice as (
         select session, subscription, facts from tenure.checkout
         where generation = ${LIVE} and session > $1 order by session limit $2)
       select c.subscription, c.facts from slice c
       where c.subscription is not null and not exists (
         select from tenure.subscription_fact f
         where f.generation = ${LIVE} and f.subscription = c.subscription and f.kind = 'observation'
           and case when strpos(f.body, '"status":"incomplete"') = 0 then true
             else f.body::jsonb #>> '{data,status}' <> 'incomplete' end)`,
      [after, limit],
    );
    const found = z
      .array(namingRow)
      .parse(rows)
      .map(({ subscription, facts }) => ({
        subscription,
        checkouts: checkoutText.parse(JSON.parse(facts)).observations,
      }));
    return { found, next: await this.#lastOf('checkout', after, limit) };
  }

  /** Looks at so many checkout sessions for purchases of which nobody knows what they sold. */
  async unknownSales(after: string, limit: number): Promise<WalkPart<string>> {
    const { rows } = await this.pool.query(
      `with slice as (
         select session, purchase, facts from tenure.checkout
         where generation = ${LIVE} and session > $1 order by session limit $2)
       select session, facts from slice where purchase`,
      [after, limit],
    );
    const found = z.array(saleRow).parse(rows);
    return {
      found: found.flatMap(({ session, facts }) =>
        isSaleUnknown(checkoutText.parse(JSON.parse(facts))) ? [session] : [],
      ),
      next: await this.#lastOf('checkout', after, limit),
    };
  }

  /** Looks at so many customers for those that several of the sights that are kept name a user of. */
  async claimedTwice(after: string, limit: number): Promise<WalkPart<string>> {
    const { rows } = await this.pool.query(
      `with slice as (
         select customer, facts from tenure.customer
         where generation = ${LIVE} and customer > $1 order by customer limit $2)
       select customer from slice where facts like '%"userId":"%"userId":"%' order by customer`,
      [after, limit],
    );
    const found = z
      .array(customerRow)
      .parse(rows)
      .map(({ customer }) => customer);
    return { found, next: await this.#lastOf('customer', after, limit) };
  }

  /** Payments that no invoice and no session is named with. */
  async unjoinedPayments(after: string, limit: number): Promise<WalkPart<string>> {
    const { rows } = await this.pool.query(
      `select payment from tenure.payment
       where generation = ${LIVE} and not joined and payment > $1 order by payment limit $2`,
      [after, limit],
    );
    const found = z
      .array(paymentRow)
      .parse(rows)
      .map(({ payment }) => payment);
    return { found, next: found.length === limit ? (found.at(-1) ?? null) : null };
  }

  /** Whether an invoice or a session is named with a payment; `null` where nothing of it is folded. */
  async isJoined(payment: string): Promise<boolean | null> {
    const { rows } = await this.pool.query(
      `select joined from tenure.payment where generation = ${LIVE} and payment = $1`,
      [payment],
    );
    return rows[0] === undefined ? null : joinedRow.parse(rows[0]).joined;
  }

  /** Where a slice ends; `null` where nothing comes after it. */
  async #lastOf(
    table: 'subscription' | 'checkout' | 'customer',
    after: string,
    limit: number,
  ): Promise<string | null> {
    const id = table === 'checkout' ? 'session' : table;
    const { rows } = await this.pool.query(
      `select max(${id}) as last from (
         select ${id} from tenure.${table} where generation = ${LIVE} and ${id} > $1
         order by ${id} limit $2) as slice`,
      [after, limit],
    );
    return lastRow.parse(rows)[0].last;
  }
}
