import type { Request, Response } from 'express';
import { requireAccess } from '../../auth/access-control.js';
import type { HeldAccess } from '../../auth/held-access.js';
import type { EventStreams } from '../../http/event-stream.js';
import { ProblemError } from '../../http/problem.js';
import { requestIdOf } from '../../http/request-id.js';
import type { SnapshotWatch } from '../../push/snapshot-watch.js';
import type { StreamPlaces } from '../../push/stream-places.js';
import { type LastSeen, parseEventId } from '../../push/told-snapshot.js';
import { streamUser, type Teller } from '../../push/user-stream.js';
import { checkUserId, type EntitlementsService } from './entitlements.service.js';

/** Of whom a stream is asked for, from where on, and what it tells. */
export interface UserStreamAsked {
  readonly userId: string;
  readonly minPosition: string | undefined;
  /** The id of the last event that came; one that is none of ours counts as none. */
  readonly lastEventId: string | undefined;
  readonly tell: Teller;
}

/** Opens streams of users: each takes a place, and ends with the leave of who opened it. */
export class UserStreams {
  constructor(
    private readonly entitlements: EntitlementsService,
    private readonly watch: SnapshotWatch,
    private readonly places: StreamPlaces,
    private readonly streams: EventStreams,
    private readonly held: HeldAccess,
  ) {}

  /**
   * Answers with a stream, until it ends.
   * @throws ProblemError `too_many_streams`, `streams_full`, and as `EntitlementsService.served`, before anything is sent
   */
  async answer(
    { userId, minPosition, lastEventId, tell }: UserStreamAsked,
    request: Request,
    response: Response,
  ): Promise<void> {
    checkUserId(userId);
    const release = this.places.take(userId);
    try {
      if (minPosition !== undefined) await this.entitlements.reach(minPosition);
      const lastSeen = parseEventId(lastEventId);
      const seen = lastSeen === null ? null : await this.#reachSeen(lastSeen);
      // A user who cannot be read is refused before anything is sent.
      await this.entitlements.served(userId, undefined);
      const held = this.held.holdAbout(userId, request, (principal) =>
        requireAccess(principal, 'entitlements:read', userId),
      );
      const work = this.streams.answer(
        response,
        requestIdOf(request),
        (stream) => streamUser(this.watch, { userId, seen, tell }, stream),
        { until: held.signal },
      );
      await work.finally(held.release);
    } finally {
      release();
    }
  }

  /** Never tells a client what was before what it has seen; `null` where that was of another log. */
  async #reachSeen(seen: LastSeen): Promise<LastSeen | null> {
    try {
      await this.entitlements.reach(seen.position);
      return seen;
    } catch (error) {
      if (error instanceof ProblemError && error.code === 'position_unknown') return null;
      throw error;
    }
  }
}
