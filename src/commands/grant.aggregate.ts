import type { GrantIssuedData } from '../events/grant.events.js';
import { grantStream } from '../events/stream-names.js';
import type { Aggregate, Origin } from './aggregate.js';
import { SeenKeys } from './seen-keys.js';

/** Give a user something by hand; once by the id of the grant. */
export class IssueGrant {
  readonly kind = 'issue';
  constructor(
    readonly data: GrantIssuedData,
    readonly origin: Origin,
  ) {}

  get grant(): string {
    return this.data.grant;
  }
}

/** Take a grant back. One that is over at `at`, the caller's moment (Unix ms), or was never issued, is left alone. */
export class RevokeGrant {
  readonly kind = 'revoke';
  constructor(
    readonly grant: string,
    readonly said: { readonly reason: string | null; readonly actor: string },
    readonly at: number,
    readonly origin: Origin,
  ) {}
}

export type GrantCommand = IssueGrant | RevokeGrant;

/** State of one grant: what was issued, `null` before, and whether it was revoked. */
export interface GrantState {
  readonly issued: GrantIssuedData | null;
  readonly isRevoked: boolean;
  readonly seen: SeenKeys;
}

/** A grant is issued once and revoked once. */
export const grantAggregate: Aggregate<GrantState, GrantCommand> = {
  streamOf: (prefix, { grant }) => grantStream(prefix, grant),
  expectsNewStream: ({ kind }) => kind === 'issue',
  initial: { issued: null, isRevoked: false, seen: SeenKeys.none },
  evolve: (before, { event, causation }) => {
    const state = causation === null ? before : { ...before, seen: before.seen.with(causation) };
    switch (event.type) {
      case 'GrantIssued':
        return { ...state, issued: event.data };
      case 'GrantRevoked':
        return { ...state, isRevoked: true };
      default:
        return state;
    }
  },
  knows: ({ seen }, key) => seen.has(key),
  decide: ({ issued, isRevoked }, command) => {
    if (command.kind === 'issue') return issued === null ? [{ type: 'GrantIssued', data: command.data }] : [];
    if (issued === null || isRevoked || isOver(issued, command.at)) return [];
    const { grant, userId } = issued;
    return [{ type: 'GrantRevoked', data: { grant, userId, ...command.said } }];
  },
};

function isOver({ expiresAt }: GrantIssuedData, at: number): boolean {
  return expiresAt !== null && Date.parse(expiresAt) <= at;
}
