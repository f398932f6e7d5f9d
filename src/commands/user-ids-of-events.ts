import type { DomainEvent } from '../events/event-types.js';
import { PSEUDONYM } from '../events/user-id.js';
import { NamedError } from '../observability/named-error.js';

/** A user id came through to the log where only pseudonyms may: a fault of ours. The message does not show it. */
export class PlainUserIdError extends NamedError {
  readonly code = 'plain_user_id';
  constructor(type: string) {
    super(`${type} names a user as no pseudonym`);
  }
}

/** The user ids that an event has. */
export function userIdsOfEvent({ data }: DomainEvent): readonly string[] {
  const ids = [
    'userId' in data ? data.userId : null,
    'metadataUserId' in data ? data.metadataUserId : null,
    'clientReferenceId' in data ? data.clientReferenceId : null,
  ];
  return ids.filter((id) => id !== null);
}

/** Holds an event to name users by pseudonyms alone. @throws PlainUserIdError */
export function checkPseudonyms(event: DomainEvent): void {
  if (!userIdsOfEvent(event).every((id) => PSEUDONYM.test(id))) throw new PlainUserIdError(event.type);
}
