import { type OverrideKind, type OverrideSetData, overrideKindOf } from '../events/override.events.js';
import { overridesStream } from '../events/stream-names.js';
import type { Aggregate, Origin } from './aggregate.js';
import { SeenKeys } from './seen-keys.js';

/** Set what a user has of a key, whatever was bought. */
export class SetOverride {
  readonly kind = 'set';
  constructor(
    readonly data: OverrideSetData,
    readonly origin: Origin,
  ) {}

  get userId(): string {
    return this.data.userId;
  }
}

/** Remove what was set of a key, as a feature and as a limit; what is over at `at` (Unix ms) is left alone. */
export class RemoveOverride {
  readonly kind = 'remove';
  constructor(
    readonly userId: string,
    readonly key: string,
    readonly said: { readonly reason: string | null; readonly actor: string },
    readonly at: number,
    readonly origin: Origin,
  ) {}
}

export type OverrideCommand = SetOverride | RemoveOverride;

/** What is set of a user's keys, by key and then by kind, and the keys of requests that the stream holds. */
export interface OverridesState {
  readonly set: ReadonlyMap<string, Readonly<Partial<Record<OverrideKind, OverrideSetData>>>>;
  readonly seen: SeenKeys;
}

/** Setting what is set already, or removing what is not, adds nothing. */
export const overridesAggregate: Aggregate<OverridesState, OverrideCommand> = {
  streamOf: (prefix, { userId }) => overridesStream(prefix, userId),
  expectsNewStream: () => false,
  initial: { set: new Map(), seen: SeenKeys.none },
  evolve: ({ set, seen: before }, { event, causation }) => {
    const seen = causation === null ? before : before.with(causation);
    switch (event.type) {
      case 'OverrideSet': {
        const { key } = event.data;
        return {
          seen,
          set: new Map(set).set(key, { ...set.get(key), [overrideKindOf(event.data)]: event.data }),
        };
      }
      case 'OverrideRemoved':
        return { seen, set: new Map([...set].filter(([key]) => key !== event.data.key)) };
      default:
        return { seen, set };
    }
  },
  knows: ({ seen }, key) => seen.has(key),
  decide: ({ set, seen }, command) => {
    const { causation } = command.origin;
    if (causation !== null && seen.has(causation)) return [];
    if (command.kind === 'set') {
      const { data } = command;
      const standing = set.get(data.key)?.[overrideKindOf(data)];
      return standing !== undefined && isSame(standing, data) ? [] : [{ type: 'OverrideSet', data }];
    }
    const { userId, key, said, at } = command;
    const isInForce = Object.values(set.get(key) ?? {}).some(
      ({ expiresAt }) => expiresAt === null || Date.parse(expiresAt) > at,
    );
    return isInForce ? [{ type: 'OverrideRemoved', data: { userId, key, ...said } }] : [];
  },
};

function isSame(a: OverrideSetData, b: OverrideSetData): boolean {
  return (
    a.value === b.value &&
    a.add === b.add &&
    a.expiresAt === b.expiresAt &&
    a.reason === b.reason &&
    a.actor === b.actor
  );
}
