import type Stripe from 'stripe';
import { z } from 'zod';
import type { Account } from '../account.js';
import type { Router } from '../http/router.js';
import * as p from '../params.js';

/** What the simulator tells of its account; nothing of a business. */
type OwnAccount = Pick<
  Stripe.Account,
  'id' | 'object' | 'charges_enabled' | 'details_submitted' | 'payouts_enabled' | 'type'
>;

/** `/v1/account`: the account that the key is of. */
export function accountRoutes(router: Router, { id }: Account): void {
  router.on(
    'GET',
    '/v1/account',
    z.strictObject({ expand: p.expand }),
    (): OwnAccount => ({
      id,
      object: 'account',
      charges_enabled: true,
      details_submitted: true,
      payouts_enabled: true,
      type: 'standard',
    }),
  );
}
