import type { Caller } from '../../auth/caller.js';
import type { StreamTickets } from '../../auth/stream-tickets.js';
import type { PlanCatalog } from '../../events/catalog.events.js';
import { matchesIfNoneMatch, strongEtag } from '../../http/etag.js';
import { ProblemError } from '../../http/problem.js';
import { Reply } from '../../http/reply.js';
import { SharedAnswer } from '../../http/shared-answer.js';
import type { Projections } from '../../projections/projections.js';
import { ReadModelNotReadyError } from '../../projections/read-models/served-row.js';
import { parseEventId } from '../../push/told-snapshot.js';
import type { EntitlementsService } from '../entitlements/entitlements.service.js';
import { eventStreamOf } from './flag-changes.js';
import { flagsOf } from './flags.js';

/** The catalogue is read anew after so long, in milliseconds: only which keys there are hangs on it. */
const CATALOG_KEPT_MS = 1_000;

/** Of whom all flags are asked, and what the caller has. */
export interface FlagsAsked {
  readonly userId: string;
  readonly caller: Pick<Caller, 'userId' | 'endsAt'>;
  readonly ifNoneMatch: string | undefined;
  /** The `etag` of the event that told of a change; what is none of ours counts as none. */
  readonly flagConfigEtag: string | undefined;
}

/** Answers all flags of a user at once. */
export class OfrepService {
  readonly #catalog: SharedAnswer<PlanCatalog | null>;

  constructor(
    private readonly entitlements: EntitlementsService,
    { ops }: Pick<Projections, 'ops'>,
    private readonly tickets: StreamTickets,
  ) {
    this.#catalog = new SharedAnswer(() => ops.currentCatalog(), CATALOG_KEPT_MS);
  }

  /** @throws ProblemError `projection_behind` of the event that told of a change, and as `EntitlementsService.served` */
  async flags({ userId, caller, ifNoneMatch, flagConfigEtag }: FlagsAsked): Promise<Reply> {
    await this.#reachTold(flagConfigEtag);
    const [{ snapshot }, catalog] = await Promise.all([
      this.entitlements.served(userId, undefined),
      this.#catalog.get(),
    ]);
    if (catalog === null) throw new ReadModelNotReadyError();
    const flags = flagsOf(snapshot, catalog);
    const { endsAt } = caller;
    const streams =
      endsAt === null ? {} : { eventStreams: [eventStreamOf(this.tickets.issue(userId, endsAt))] };
    const text = JSON.stringify({ ...flags, ...streams });
    const headers = { etag: strongEtag(text), 'cache-control': 'private, no-cache' };
    if (matchesIfNoneMatch(ifNoneMatch, headers.etag)) return new Reply(304, headers, null);
    return new Reply(200, { 'content-type': 'application/json; charset=utf-8', ...headers }, text);
  }

  /** Never answers with what was before the change that was told of. */
  async #reachTold(flagConfigEtag: string | undefined): Promise<void> {
    const told = parseEventId(flagConfigEtag);
    if (told === null) return;
    try {
      await this.entitlements.reach(told.position);
    } catch (error) {
      if (!(error instanceof ProblemError && error.code === 'position_unknown')) throw error;
    }
  }
}
