import type { AsOfReader } from '../../audit/as-of/as-of.js';
import { reasonsAsOf } from '../../audit/as-of/explain-as-of.js';
import type { AsOfQuestion } from '../../audit/as-of/user-as-of.js';
import { matchesIfNoneMatch, strongEtag } from '../../http/etag.js';
import { ProblemError } from '../../http/problem.js';
import { Reply } from '../../http/reply.js';
import { checkUserId } from './entitlements.service.js';

/** What a request asks: of a moment (Unix ms), and of now. */
interface Asked {
  readonly at: number | null;
  readonly knownAt: number | null;
  readonly minPosition?: string | undefined;
  readonly wait?: number | undefined;
  readonly version?: number | undefined;
  readonly explain?: boolean;
}

/** A request that asks as of a moment. */
export type AskedAsOf = Omit<Asked, keyof AsOfQuestion> & AsOfQuestion;

/** Whether a request asks as of a moment. */
export function isAsOf<Given extends Asked>(asked: Given): asked is Given & AskedAsOf {
  return asked.at !== null || asked.knownAt !== null;
}

/** Answers what users could do as of a moment. */
export class AsOfService {
  constructor(private readonly reader: AsOfReader) {}

  /** @throws ProblemError `invalid_user_id`, `conflicting_parameters`, and what `AsOfReader.asOf` throws */
  async snapshot(userId: string, asked: AskedAsOf, ifNoneMatch: string | undefined): Promise<Reply> {
    checkUserId(userId);
    const ofNow = (['minPosition', 'wait', 'version'] as const).find((name) => asked[name] !== undefined);
    if (ofNow !== undefined) {
      const detail = `${ofNow} is of now, and goes with neither at nor knownAt.`;
      throw new ProblemError('conflicting_parameters', detail);
    }
    const answer = await this.reader.asOf(userId, asked);
    const { snapshot, handled } = answer;
    const body = JSON.stringify(
      asked.explain === true ? { ...snapshot, reasons: await reasonsAsOf(answer) } : snapshot,
    );
    const etag = strongEtag(body);
    const headers = {
      etag,
      'cache-control': 'private, no-cache',
      'tenure-position': handled ?? '0',
    };
    if (matchesIfNoneMatch(ifNoneMatch, etag)) return new Reply(304, headers, null);
    const all = { 'content-type': 'application/json; charset=utf-8', ...headers };
    return new Reply(200, all, body);
  }
}
