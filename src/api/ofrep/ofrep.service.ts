import type { Caller } from '../../auth/caller.js';
import type { StreamTickets } from '../../auth/stream-tickets.js';
import type { PlanCatalog } from '../../events/catalog.events.js';
import { matchesIfNoneMatch, strongEtag } from '../../http/etag.js';
import { ProblemError } from '../../http/problem.js';
import { jsonReply, Reply } from '../../http/reply.js';
import { SharedAnswer } from '../../http/shared-answer.js';
import type { Snapshot } from '../../projections/entitlements/snapshot.js';
import type { Projections } from '../../projections/projections.js';
import { ReadModelNotReadyError } from '../../projections/read-models/served-row.js';
import { parseEventId } from '../../push/told-snapshot.js';
import type { EntitlementsService } from '../entitlements/entitlements.service.js';
import { userOf } from './asked-user.js';
import { eventStreamOf } from './flag-changes.js';
import { flagsOf } from './flags.js';

/** The catalogue is read anew after so long, in milliseconds: only which keys there are hangs on it. */
const CATALOG_KEPT_MS = 1_000;

/** What a caller who asks for all flags has. */
export interface FlagsHeld {
  readonly ifNoneMatch: string | undefined;
  /** The `etag` of the event that told of a change; what is none of ours counts as none. */
  readonly flagConfigEtag: string | undefined;
}

/** All flags of a snapshot by a catalogue, as text; it is made once for as long as both are kept. */
interface FlagsText {
  readonly catalog: PlanCatalog;
  readonly text: string;
  readonly etag: string;
}

/** Answers all flags of a user at once; both roads to them end here. */
export class OfrepService {
  readonly #catalog: SharedAnswer<PlanCatalog | null>;
  readonly #texts = new WeakMap<Snapshot, FlagsText>();

  constructor(
    private readonly entitlements: EntitlementsService,
    { ops }: Pick<Projections, 'ops'>,
    private readonly tickets: StreamTickets,
  ) {
    this.#catalog = new SharedAnswer(() => ops.currentCatalog(), CATALOG_KEPT_MS);
  }

  /**
   * @param body of the request, as JSON says it
   * @throws ProblemError `other_user`, `projection_behind` of the event that told of a change, and as `EntitlementsService.served`
   */
  async flags(body: unknown, caller: Pick<Caller, 'userId' | 'endsAt'>, has: FlagsHeld): Promise<Reply> {
    const asked = userOf(body, caller);
    if ('failure' in asked) return jsonReply(400, asked.failure);
    const { userId } = asked;
    if (has.flagConfigEtag !== undefined) await this.#reachTold(has.flagConfigEtag);
    const { snapshot } = await this.entitlements.served(userId, undefined);
    const catalog = await this.#catalog.get();
    if (catalog === null) throw new ReadModelNotReadyError();
    return this.#replyOf(snapshot, catalog, caller, has.ifNoneMatch);
  }

  /**
   * The same from memory, or `null` when something must be read first: for the hot route.
   * @throws ProblemError `other_user`
   */
  peek(
    body: unknown,
    caller: Pick<Caller, 'userId' | 'endsAt'>,
    ifNoneMatch: string | undefined,
  ): Reply | null {
    const asked = userOf(body, caller);
    if ('failure' in asked) return jsonReply(400, asked.failure);
    const served = this.entitlements.peekServed(asked.userId);
    const catalog = this.#catalog.peek();
    if (served === null || catalog === null) return null;
    return this.#replyOf(served.snapshot, catalog, caller, ifNoneMatch);
  }

  #replyOf(
    snapshot: Snapshot,
    catalog: PlanCatalog,
    { endsAt }: Pick<Caller, 'endsAt'>,
    ifNoneMatch: string | undefined,
  ): Reply {
    const flags = this.#textOf(snapshot, catalog);
    const { text, etag } = endsAt === null ? flags : this.#withStream(flags.text, snapshot.userId, endsAt);
    const headers = { etag, 'cache-control': 'private, no-cache' };
    if (matchesIfNoneMatch(ifNoneMatch, etag)) return new Reply(304, headers, null);
    return new Reply(200, { 'content-type': 'application/json; charset=utf-8', ...headers }, text);
  }

  #textOf(snapshot: Snapshot, catalog: PlanCatalog): FlagsText {
    const known = this.#texts.get(snapshot);
    if (known?.catalog === catalog) return known;
    const text = JSON.stringify(flagsOf(snapshot, catalog));
    const made = { catalog, text, etag: strongEtag(text) };
    this.#texts.set(snapshot, made);
    return made;
  }

  /** The same with the stream that tells when to ask again. */
  #withStream(flags: string, userId: string, endsAt: number): Pick<FlagsText, 'text' | 'etag'> {
    const streams = JSON.stringify([eventStreamOf(this.tickets.issue(userId, endsAt))]);
    const text = `${flags.slice(0, -1)},"eventStreams":${streams}}`;
    return { text, etag: strongEtag(text) };
  }

  /** Never answers with what was before the change that was told of. */
  async #reachTold(flagConfigEtag: string): Promise<void> {
    const told = parseEventId(flagConfigEtag);
    if (told === null) return;
    try {
      await this.entitlements.reach(told.position);
    } catch (error) {
      if (!(error instanceof ProblemError && error.code === 'position_unknown')) throw error;
    }
  }
}
