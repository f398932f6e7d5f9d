import { requireOwn } from '../../auth/access-control.js';
import type { Caller } from '../../auth/caller.js';
import { isUserId } from '../../events/user-id.js';
import { type OfrepFailure, ofrepRequest } from './ofrep.schemas.js';

/** Of whom it is asked: a user token's own user where nobody is named. @throws ProblemError `other_user` */
export function userOf(
  body: unknown,
  caller: Pick<Caller, 'userId'>,
): { readonly userId: string } | { readonly failure: OfrepFailure } {
  const parsed = ofrepRequest.safeParse(body ?? {});
  if (!parsed.success) {
    return failed('INVALID_CONTEXT', 'The context is an object whose targetingKey is the id of a user.');
  }
  const userId = parsed.data.context?.targetingKey ?? caller.userId;
  if (userId === null) return failed('TARGETING_KEY_MISSING', 'The targetingKey is the id of a user.');
  if (!isUserId(userId)) return failed('INVALID_CONTEXT', 'The targetingKey is no id of a user.');
  requireOwn(caller, userId);
  return { userId };
}

function failed(
  errorCode: OfrepFailure['errorCode'],
  errorDetails: string,
): { readonly failure: OfrepFailure } {
  return { failure: { errorCode, errorDetails } };
}
