import type { PlanCatalog } from '../../events/catalog.events.js';
import { comparePositions, type Position } from '../../events/stored-event.js';
import { isUserId } from '../../events/user-id.js';
import { matchesIfNoneMatch } from '../../http/etag.js';
import { ProblemError } from '../../http/problem.js';
import { Reply } from '../../http/reply.js';
import type { LogWatch } from '../../projections/engine/log-watch.js';
import type { Projection } from '../../projections/engine/projection.js';
import type { Served, Snapshot } from '../../projections/entitlements/snapshot.js';
import type { DecisionReader } from '../../projections/read-models/decision.reader.js';
import type { EntitlementReader } from '../../projections/read-models/entitlement.reader.js';
import { decideByHand } from '../features/by-hand-decision.js';
import { decideFeature, type FeatureDecision } from '../features/feature-decision.js';

const READ_YOUR_WRITES_MS = 5_000;
/** Requests that wait for a position at once: each holds a connection of its caller, and all ask again when the fold moves. */
export const MOST_WAITING = 500;
const POSITION = /^\d{1,18}$/;
/** Seconds after which one who found no room may try again. */
const RETRY_AFTER_SECONDS = '1';
const DIGITS = /^\d{1,10}$/;
/** Largest amount a feature question may ask for. */
const MAX_AMOUNT = 1_000_000_000;

/** What is decided of one user: `decide` answers for a feature, or for so much more of a limited thing. */
export interface Decisions {
  readonly snapshot: Snapshot;
  readonly catalog: PlanCatalog;
  decide(key: string, amount: number): FeatureDecision;
}

/** Answers what users may do; the hot route and the controller both end here. */
export class EntitlementsService {
  #waiting = 0;

  constructor(
    private readonly reader: EntitlementReader,
    private readonly engine: Projection,
    private readonly logWatch: Pick<LogWatch, 'end'>,
    private readonly ground: Pick<DecisionReader, 'read'>,
  ) {}

  /** The last position that is in the read models for certain, as this instance knows. */
  get handled(): string {
    return this.reader.handled;
  }

  /** The snapshot from memory as a reply, or `null` when it must be read: for the hot route. */
  peek(userId: string, ifNoneMatch: string | undefined): Reply | null {
    const served = this.reader.peek(userId);
    return served === null ? null : snapshotReply(served, this.reader.handled, ifNoneMatch);
  }

  /** What the snapshot is made of, from memory, or `null` when it must be read. */
  peekServed(userId: string): Served | null {
    return this.reader.peek(userId);
  }

  /** @throws ProblemError `invalid_user_id`, `invalid_request`, `position_unknown`, `projection_behind`, `too_many_waiting` */
  async snapshot(
    userId: string,
    minPosition: string | undefined,
    ifNoneMatch: string | undefined,
  ): Promise<Reply> {
    const served = await this.served(userId, minPosition);
    return snapshotReply(served, served.position, ifNoneMatch);
  }

  /** What the snapshot is made of. @throws ProblemError as `snapshot` */
  async served(userId: string, minPosition: string | undefined): Promise<Served> {
    checkUserId(userId);
    if (minPosition !== undefined) await this.reach(minPosition);
    return this.reader.read(userId);
  }

  /** Snapshots of one moment, in the order asked. */
  async batch(userIds: readonly string[]): Promise<readonly Served[]> {
    for (const userId of userIds) checkUserId(userId);
    return this.reader.readMany(userIds);
  }

  /** Whether a user may use a feature, or that much of a limited thing. */
  async feature(
    userId: string,
    key: string,
    amount: string | undefined,
  ): Promise<FeatureDecision & Pick<Snapshot, 'faulted'>> {
    const wanted = amountOf(amount);
    const { snapshot, decide } = await this.decisions(userId);
    const decision = decide(key, wanted);
    return snapshot.faulted === undefined ? decision : { ...decision, faulted: snapshot.faulted };
  }

  /** Everything that is decided of one user, as of one moment. @throws ProblemError `invalid_user_id` */
  async decisions(userId: string): Promise<Decisions> {
    checkUserId(userId);
    const { served, catalog, usage, combination } = await this.ground.read(userId);
    const { snapshot } = served;
    const decide = (key: string, amount: number): FeatureDecision => {
      const question = { key, amount, used: usage.get(key) ?? null };
      return combination === null
        ? decideFeature(snapshot, catalog, question)
        : decideByHand(snapshot, combination, catalog, question);
    };
    return { snapshot, catalog, decide };
  }

  /** Comes back only when the log ends before `position`, by a look begun now; one that fails says nothing. */
  async #beyondEnd(position: Position): Promise<'beyond the end'> {
    const isBeyond = await this.logWatch.end().then(
      (end) => comparePositions(position, end) > 0,
      () => false,
    );
    return isBeyond ? 'beyond the end' : new Promise(() => undefined);
  }

  /**
   * Waits until a position is read, for five seconds.
   * @throws ProblemError `invalid_request`, `position_unknown`, `projection_behind`, `too_many_waiting`
   */
  async reach(minPosition: string): Promise<void> {
    if (!POSITION.test(minPosition)) {
      throw new ProblemError('invalid_request', 'minPosition must be a position as Tenure gives them.');
    }
    const position = minPosition.replace(/^0+(?=\d)/, '');
    if (position === '0' || this.reader.shows(position)) return;
    const reached = this.#waitUntil(position);
    if ((await Promise.race([reached, this.#beyondEnd(position)])) === 'beyond the end') {
      throw new ProblemError(
        'position_unknown',
        `The log ends before ${position}: it is of another log, or lost.`,
      );
    }
    if (await reached) return;
    throw new ProblemError(
      'projection_behind',
      `The read model is at ${this.reader.handled} and did not reach ${position} in time.`,
    );
  }

  async #waitUntil(position: string): Promise<boolean> {
    if (this.#waiting >= MOST_WAITING) {
      throw new ProblemError('too_many_waiting', 'Too many wait for a position. Try again.', {
        'retry-after': RETRY_AFTER_SECONDS,
      });
    }
    this.#waiting += 1;
    try {
      return await this.engine.waitUntil(position, READ_YOUR_WRITES_MS);
    } finally {
      this.#waiting -= 1;
    }
  }
}

/** How much of a limit is asked for: 1 when left out. @throws ProblemError `invalid_request` */
export function amountOf(amount: string | undefined): number {
  const wanted = Number(amount ?? 1);
  if ((amount !== undefined && !DIGITS.test(amount)) || wanted > MAX_AMOUNT) {
    throw new ProblemError('invalid_request', `amount must be a whole number from 0 to ${MAX_AMOUNT}.`);
  }
  return wanted;
}

/** @throws ProblemError when it is not a user id (DESIGN 3) */
export function checkUserId(userId: string): void {
  if (!isUserId(userId)) {
    throw new ProblemError('invalid_user_id', 'A user id has 1 to 255 characters and no control characters.');
  }
}

/** A snapshot as a reply: 304 where `If-None-Match` holds its ETag. */
export function snapshotReply(served: Served, position: string, ifNoneMatch: string | undefined): Reply {
  const headers = {
    etag: served.etag,
    'cache-control': 'private, no-cache',
    'tenure-position': position,
  };
  if (matchesIfNoneMatch(ifNoneMatch, served.etag)) return new Reply(304, headers, null);
  const all = { 'content-type': 'application/json; charset=utf-8', ...headers };
  return new Reply(200, all, served.body);
}
