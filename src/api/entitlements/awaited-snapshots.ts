import { applyDecorators } from '@nestjs/common';
import { ApiQuery } from '@nestjs/swagger';
import type { Request } from 'express';
import { z } from 'zod';
import { requireAccess } from '../../auth/access-control.js';
import type { HeldAccess } from '../../auth/held-access.js';
import { matchesIfNoneMatch } from '../../http/etag.js';
import { ProblemError } from '../../http/problem.js';
import { Reply } from '../../http/reply.js';
import type { Served } from '../../projections/entitlements/snapshot.js';
import { UserErasedError } from '../../pseudonyms/errors.js';
import type { LongPolls } from '../../push/long-polls.js';
import { retryLater } from '../../push/stream-places.js';
import { type EntitlementsService, snapshotReply } from './entitlements.service.js';

const versionError = 'version must be a revocationVersion.';
/** The version that a caller has, which waits for another one alone; `undefined` where the ETag counts. */
export const versionParameter = z
  .string({ error: versionError })
  .regex(/^\d{1,9}$/, { error: versionError })
  .transform(Number)
  .optional();

/** Documents the parameters of a long poll. */
export const ApiWait = () =>
  applyDecorators(
    ApiQuery({
      name: 'wait',
      type: Number,
      required: false,
      description: 'Seconds to wait, 25 at most, while `If-None-Match` holds the ETag: long poll',
    }),
    ApiQuery({
      name: 'version',
      type: Number,
      required: false,
      description: 'With `wait`: a `revocationVersion`; waits until it is another one, whatever else changes',
    }),
  );

/** What a caller has and asks for. */
export interface AwaitedAsked {
  readonly minPosition: string | undefined;
  readonly ifNoneMatch: string | undefined;
  readonly wait: number | undefined;
  readonly version: number | undefined;
}

/** Answers a long poll: a snapshot once it is another one than the caller has. */
export class AwaitedSnapshots {
  constructor(
    private readonly entitlements: EntitlementsService,
    private readonly polls: LongPolls,
    private readonly held: HeldAccess,
  ) {}

  /**
   * The snapshot at once where it is not the one that the caller has, who then says nothing of what he has (`If-None-Match`,
   * `version`), or has another; else once it is, or as it is after `wait` seconds, when the service stops, or when the
   * caller's token ends.
   * @throws UserErasedError as soon as the user is erased; ProblemError as `EntitlementsService.snapshot`, and
   * `invalid_request`, `too_many_streams`, `streams_full`
   */
  async snapshot(userId: string, asked: AwaitedAsked, request: Request): Promise<Reply> {
    const { minPosition, ifNoneMatch, wait, version } = asked;
    if (wait === undefined) throw new ProblemError('invalid_request', 'version goes with wait.');
    const isNews = ({ etag, snapshot }: Served): boolean =>
      version === undefined ? !matchesIfNoneMatch(ifNoneMatch, etag) : snapshot.revocationVersion !== version;
    const now = await this.entitlements.served(userId, minPosition);
    if (isNews(now) || wait === 0) return snapshotReply(now, now.position, ifNoneMatch);

    const gone = new AbortController();
    const leave = (): void => gone.abort();
    request.res?.once('close', leave);
    if (request.socket.destroyed) leave(); // is told of by no event any more
    const held = this.held.holdAbout(userId, request, (principal) =>
      requireAccess(principal, 'entitlements:read', userId),
    );
    try {
      const waitMs = wait * 1_000;
      const signals = [gone.signal, held.signal];
      const served = (await this.polls.wait({ userId, waitMs, isNews, signals })) ?? now;
      if (held.signal.reason instanceof UserErasedError) throw held.signal.reason;
      const reply = snapshotReply(served, served.position, ifNoneMatch);
      if (!this.polls.isStopping) return reply;
      return new Reply(reply.status, { ...reply.headers, ...retryLater() }, reply.body);
    } finally {
      held.release();
      request.res?.off('close', leave);
    }
  }
}
