import type { Pool } from 'pg';
import { z } from 'zod';
import { NamedError } from '../../observability/named-error.js';
import { readLiveCheckpoint } from '../../projections/engine/checkpoint.js';
import { ENTITLEMENTS } from '../../projections/entitlements/entitlements.projector.js';
import type { StripeGateway } from '../gateway/stripe.gateway.js';
import { accountOf, objectOf } from '../gateway/stripe-lists.js';

/** The key is of an account that the log does not tell of. Nothing was recorded. */
export class OtherAccountError extends NamedError {
  readonly code = 'other_account';
}

/** So many known subscriptions are asked for where nothing else tells whose the key is. */
const ASKED_FOR = 20;
const knownRow = z.object({ subscription: z.string() });
const accountRow = z.object({ account: z.string() });

/**
 * Holds a key to the account that the log tells of: with another one's everything would seem gone. The account is the one
 * that STRIPE_ACCOUNT names, else the one of the first import or reconciliation that recorded. Where neither is known, or the
 * key may not ask for its account, Stripe must have one at least of some subscriptions that the log knows.
 */
export class KnownAccount {
  constructor(
    private readonly pool: Pool,
    private readonly gateway: Pick<StripeGateway, 'account' | 'object'>,
    /** STRIPE_ACCOUNT; `null` where it is not set. */
    private readonly setting: string | null,
  ) {}

  /** The account of the key, `null` where it may not be asked for. @throws OtherAccountError, StripeUnansweredError */
  async check(): Promise<string | null> {
    const [account, known] = [await accountOf(this.gateway), this.setting ?? (await this.#remembered())];
    if (account === null || known === null) await this.#meetsSome(account);
    else if (account !== known) {
      throw new OtherAccountError(`the key is of ${account}, and the log tells of ${known}`);
    }
    return account;
  }

  /** To be told when something of this account was recorded. */
  async remember(account: string | null): Promise<void> {
    await this.pool.query(
      'insert into tenure.stripe_account (account) select $1 where $1::text is not null on conflict do nothing',
      [account],
    );
  }

  async #remembered(): Promise<string | null> {
    const { rows } = await this.pool.query('select account from tenure.stripe_account');
    return rows[0] === undefined ? null : accountRow.parse(rows[0]).account;
  }

  async #meetsSome(account: string | null): Promise<void> {
    const known = await this.#someKnown();
    for (const id of known) {
      if ((await objectOf(this.gateway, { kind: 'subscription', id })) !== null) return;
    }
    if (known.length === 0) return;
    const none = `has none of ${known.length} subscriptions that the log knows`;
    throw new OtherAccountError(
      account === null
        ? `the account of the key, which may not be asked for, ${none}: take a key of the account whose events come`
        : `${account}, whose the key is, ${none}: if it is the right one, set STRIPE_ACCOUNT to it`,
    );
  }

  async #someKnown(): Promise<readonly string[]> {
    const live = await readLiveCheckpoint(this.pool, ENTITLEMENTS);
    if (live === null) return [];
    const { rows } = await this.pool.query(
      'select subscription from tenure.subscription where generation = $1 order by subscription limit $2',
      [live.generation, ASKED_FOR],
    );
    return rows.map((row) => knownRow.parse(row).subscription);
  }
}
