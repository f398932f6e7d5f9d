import type { NextFunction, Request, Response } from 'express';
import { holdsAddress } from '../../events/user-id.js';
import { ProblemError } from '../../http/problem.js';
import { checkSaid, userIdsIn } from '../../pseudonyms/request-ids.js';

/** Paths that are about a user, and where the id is in them. */
const OF_USER = /^\/v1\/users\/([^/?]+)/i;

/**
 * Express middleware where user ids are kept as they are: reasons and actors hold no address of an e-mail, and with
 * `USER_ID_EMAIL=refuse` no user id does.
 */
export function checkAddresses(inUserIds: 'taken' | 'refused') {
  return ({ body, originalUrl }: Request, _response: Response, next: NextFunction): void => {
    try {
      const query = new URLSearchParams(originalUrl.split('?').slice(1).join('?'));
      checkSaid(body, []);
      checkSaid(Object.fromEntries(query), []);
      const path = OF_USER.exec(originalUrl)?.[1];
      const asked = [...userIdsIn(body), ...(path === undefined ? [] : [decodeURIComponent(path)])];
      if (inUserIds === 'refused' && asked.some(holdsAddress)) {
        throw new ProblemError(
          'invalid_user_id',
          'A user id may be no address of an e-mail (USER_ID_EMAIL).',
        );
      }
      next();
    } catch (error) {
      next(error);
    }
  };
}
