import type { Caller } from '../../auth/caller.js';
import { type ClaimReading, claimOf } from '../../events/user-id.js';
import { ProblemError } from '../../http/problem.js';
import type { BuyerReader } from '../../projections/read-models/buyer.reader.js';
import type { EntitlementReader } from '../../projections/read-models/entitlement.reader.js';
import type { OpsReader } from '../../projections/read-models/ops.reader.js';
import { ReadModelNotReadyError } from '../../projections/read-models/served-row.js';
import { isErasedMark } from '../../pseudonyms/pseudonym.js';
import { checkUserId } from '../entitlements/entitlements.service.js';
import type { Asked, BeginCheckout, Known } from './begin-checkout.js';
import type { CheckoutRequest, CheckoutResponse } from './checkout.schemas.js';
import { type LogFollowing, waitForEndOfLog } from './end-of-log.js';
import { checkOrigins, offerOf } from './offer.js';
import { refuseLess } from './refusals.js';
import { trialDaysOf } from './trial.js';
import type { UserLocks } from './user-lock.js';

export interface CheckoutServiceOptions extends LogFollowing {
  /** `null`: there is no key of Stripe's API. */
  readonly beginning: BeginCheckout | null;
  readonly locks: UserLocks;
  readonly buyers: BuyerReader;
  readonly reader: Pick<EntitlementReader, 'read'>;
  readonly ops: Pick<OpsReader, 'currentCatalog'>;
  readonly origins: readonly string[];
  readonly userIds: ClaimReading;
  /** Takes an erased user in again, who is told by a mark: the pseudonym. `null`: nobody is erased. */
  readonly readmit: ((mark: string, requestId: string) => Promise<string>) | null;
}

/** Begins purchases and upgrades (DESIGN 10): one customer a user, one subscription, and nothing paid twice. */
export class CheckoutService {
  constructor(private readonly options: CheckoutServiceOptions) {}

  /** @throws ProblemError with the reason why it may not be bought */
  async start(asked: CheckoutRequest, caller: Caller): Promise<CheckoutResponse> {
    const { readmit, beginning } = this.options;
    if (readmit === null || !isErasedMark(asked.userId)) return this.#start(asked, caller);
    if (beginning === null) throw withoutKey();
    // A purchase that cannot be begun takes nobody in.
    await this.#offerOf(asked);
    return this.#start({ ...asked, userId: await readmit(asked.userId, caller.requestId) }, caller);
  }

  /** @throws ProblemError where there is nothing of the kind to be sold */
  async #offerOf(request: CheckoutRequest) {
    const { ops, origins } = this.options;
    const { successUrl, cancelUrl } = request;
    checkOrigins(origins, { successUrl, cancelUrl });
    const catalog = await ops.currentCatalog();
    if (catalog === null) throw new ReadModelNotReadyError();
    return { catalog, offer: offerOf(catalog, request) };
  }

  async #start(request: CheckoutRequest, { actor, requestId }: Caller): Promise<CheckoutResponse> {
    const { userIds, beginning, locks } = this.options;
    const { userId } = request;
    checkUserId(userId);
    if (claimOf(userId, userIds) === null) {
      throw new ProblemError('invalid_user_id', 'The user id does not match USER_ID_PATTERN.');
    }
    const { catalog, offer } = await this.#offerOf(request);
    const known = await this.#known(userId);
    trialDaysOf(request, offer, known.buyer);
    refuseLess(offer, catalog, known.snapshot);
    if (beginning === null) throw withoutKey();
    const asked: Asked = { request, catalog, offer, user: { userId, requestId }, actor };
    return locks.holding(userId, async (lock) => {
      await waitForEndOfLog(this.options);
      return beginning.begin(asked, await this.#known(userId), lock);
    });
  }

  async #known(userId: string): Promise<Known> {
    const [buyer, { snapshot }] = await Promise.all([
      this.options.buyers.of(userId),
      this.options.reader.read(userId),
    ]);
    return { buyer, snapshot };
  }
}

function withoutKey(): ProblemError {
  return new ProblemError('stripe_api_key_missing', 'STRIPE_SECRET_KEY is not set: nothing can be bought.');
}
