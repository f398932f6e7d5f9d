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

/** Hashes of the users who are erased and were not taken in again since. */
export type ErasedUsers = ReadonlySet<string>;

/** All erasures are one stream: whoever is erased is erased once, until taken in again. */
export const erasureAggregate: Aggregate<ErasedUsers, ErasureCommand> = {
  streamOf: erasuresStream,
  expectsNewStream: () => false,
  initial: new Set(),
  evolve: (erased, { event }) => {
    if (event.type === 'UserErased') return new Set(erased).add(event.data.user);
    if (event.type !== 'UserReadmitted') return erased;
    const { user } = event.data;
    return new Set([...erased].filter((each) => each !== user));
  },
  knows: () => false,
  decide: (erased, { kind, user }) => {
    if (kind === 'erase') return erased.has(user) ? [] : [{ type: 'UserErased', data: { user } }];
    return erased.has(user) ? [{ type: 'UserReadmitted', data: { user } }] : [];
  },
};
