import { holdsAddress } from '../events/user-id.js';
import { UnfitTextError } from './errors.js';
import { isPseudonym } from './pseudonym.js';

/** Members of bodies and parameters of queries that are a user id, and those that are a list of them. */
const ONE = new Set(['userId', 'targetingKey']);
const SEVERAL = 'userIds';
/** Members and parameters that go into the log as they are said. */
const SAID = new Set(['reason', 'actor']);
/** An id as short as this counts in a reason only where it stands by itself: `1` is in every year. */
const SHORT = 3;

/** Every user id in a JSON value, by the names of its members; of AuthZEN also the id of a subject that is a user. */
export function userIdsIn(value: unknown): readonly string[] {
  const found = new Set<string>();
  mapUserIds(value, (userId) => {
    found.add(userId);
    return userId;
  });
  return [...found];
}

/** The same value with other user ids. */
export function mapUserIds(value: unknown, map: (userId: string) => string): unknown {
  if (Array.isArray(value)) return value.map((each: unknown) => mapUserIds(each, map));
  if (typeof value !== 'object' || value === null) return value;
  const isUser = 'type' in value && value.type === 'user';
  return Object.fromEntries(
    Object.entries(value).map(([name, member]: [string, unknown]) => {
      if (typeof member === 'string') {
        return [name, ONE.has(name) || (isUser && name === 'id') ? map(member) : member];
      }
      if ((name === SEVERAL || ONE.has(name)) && Array.isArray(member)) {
        return [name, member.map((each: unknown) => (typeof each === 'string' ? map(each) : each))];
      }
      return [name, mapUserIds(member, map)];
    }),
  );
}

/**
 * Holds what is said for the log to hold nothing of whom it is about: neither these user ids nor an address of an e-mail.
 * @throws UnfitTextError
 */
export function checkSaid(value: unknown, userIds: readonly string[]): void {
  if (Array.isArray(value)) {
    for (const each of value) checkSaid(each, userIds);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    if (typeof member === 'string' && SAID.has(name)) checkText(name, member, userIds);
    else checkSaid(member, userIds);
  }
}

/** The same of one text; `name` is what it is. @throws UnfitTextError */
export function checkText(name: string, text: string, userIds: readonly string[]): void {
  if (holdsAddress(text)) throw new UnfitTextError(`${name} must hold no address of an e-mail`);
  if (userIds.some((userId) => !isPseudonym(userId) && names(text, userId))) {
    throw new UnfitTextError(`${name} must not hold the user id: the log keeps it for good`);
  }
}

function names(text: string, userId: string): boolean {
  if (userId.length > SHORT) return text.includes(userId);
  return text.split(/[^\p{L}\p{N}_-]+/u).includes(userId);
}
