import { matchesIfNoneMatch, strongEtag } from '../../http/etag.js';
import { Reply } from '../../http/reply.js';
import type { Snapshot } from '../../projections/entitlements/snapshot.js';
import type { ExplanationReader } from '../../projections/read-models/explanation.reader.js';
import type { ReasonWithEvents } from '../../projections/read-models/reason-events.js';
import type { UsageReader } from '../../projections/read-models/usage.reader.js';
import { decideByHand } from '../features/by-hand-decision.js';
import { decideFeature, type FeatureDecision } from '../features/feature-decision.js';
import { amountOf, checkUserId, type EntitlementsService } from './entitlements.service.js';

/** Answers why users may do what they may: as the entitlements are answered, with the reasons beside. */
export class ExplanationService {
  constructor(
    private readonly entitlements: EntitlementsService,
    private readonly explanations: ExplanationReader,
    private readonly usage: Pick<UsageReader, 'usageOf'>,
  ) {}

  /** The snapshot with its reasons. @throws ProblemError as the snapshot does; what the event store answers */
  async snapshot(
    userId: string,
    minPosition: string | undefined,
    ifNoneMatch: string | undefined,
  ): Promise<Reply> {
    checkUserId(userId);
    if (minPosition !== undefined) await this.entitlements.reach(minPosition);
    const { served, reasons } = await this.explanations.explain(userId);
    const body = JSON.stringify({ ...served.snapshot, reasons });
    const headers = {
      etag: strongEtag(body),
      'cache-control': 'private, no-cache',
      'tenure-position': served.position,
    };
    if (matchesIfNoneMatch(ifNoneMatch, headers.etag)) return new Reply(304, headers, null);
    return new Reply(200, { 'content-type': 'application/json; charset=utf-8', ...headers }, body);
  }

  /** Whether a user may use a feature, or that much of a limited thing, and why. @throws ProblemError `invalid_user_id`, `invalid_request` */
  async feature(
    userId: string,
    key: string,
    amount: string | undefined,
  ): Promise<
    FeatureDecision & Pick<Snapshot, 'faulted'> & { readonly reasons: readonly ReasonWithEvents[] }
  > {
    checkUserId(userId);
    const wanted = amountOf(amount);
    const [{ served, catalog, reasons, combination }, usage] = await Promise.all([
      this.explanations.explainKey(userId, key),
      this.usage.usageOf(userId),
    ]);
    const { faulted } = served.snapshot;
    const question = { key, amount: wanted, used: usage.get(key) ?? null };
    const decision =
      combination === null
        ? decideFeature(served.snapshot, catalog, question)
        : decideByHand(served.snapshot, combination, catalog, question);
    return { ...decision, ...(faulted === undefined ? {} : { faulted }), reasons };
  }
}
