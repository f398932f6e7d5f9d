import { erasuresStream } from '../events/stream-names.js';
import type { Aggregate, Origin } from './aggregate.js';

/** Note that a user is erased; `user` is the keyed hash of the id. */
export class EraseUser {
  readonly kind = 'erase';
  constructor(
    readonly user: string,
    readonly origin: Origin,
  ) {}
}

/** Note that a user who was erased may begin anew; `user` is the keyed hash of the id. */
export class ReadmitUser {
  readonly kind = 'readmit';
  constructor(
    readonly user: string,
    readonly origin: Origin,
  ) {}
}

export type ErasureCommand = EraseUser | ReadmitUser;

/** What was last said of somebody, and what was said before; `null` before the first. An event adds one, however many there are. */
export type ErasuresSaid = {
  readonly user: string;
  readonly isErased: boolean;
  readonly before: ErasuresSaid;
} | null;

/** All erasures are one stream: whoever is erased is erased once, until taken in again. */
export const erasureAggregate: Aggregate<ErasuresSaid, ErasureCommand> = {
  streamOf: erasuresStream,
  expectsNewStream: () => false,
  initial: null,
  evolve: (before, { event }) => {
    if (event.type !== 'UserErased' && event.type !== 'UserReadmitted') return before;
    return { user: event.data.user, isErased: event.type === 'UserErased', before };
  },
  knows: () => false,
  decide: (said, { kind, user }) => {
    const isErased = isErasedBy(said, user);
    if (kind === 'erase') return isErased ? [] : [{ type: 'UserErased', data: { user } }];
    return isErased ? [{ type: 'UserReadmitted', data: { user } }] : [];
  },
};

function isErasedBy(said: ErasuresSaid, user: string): boolean {
  for (let each = said; each !== null; each = each.before) {
    if (each.user === user) return each.isErased;
  }
  return false;
}
