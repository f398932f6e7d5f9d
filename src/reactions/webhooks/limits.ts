import type { Limit } from '../../events/catalog.events.js';
import type { UsageReportedData } from '../../events/usage.events.js';
import type { MessageType } from './message-types.js';

/** A limit that a message is about, and what is used and allowed of it then. */
export interface LimitUse {
  readonly key: string;
  readonly used: number;
  readonly allowed: number;
}

/** A limit that was reached or exceeded, and was not before. */
export interface LimitNews {
  readonly type: Extract<MessageType, 'limit.reached' | 'limit.exceeded'>;
  readonly limit: LimitUse;
}

type Limits = Readonly<Record<string, Limit>>;

/**
 * What a report of usage comes to under the limits that hold then; `before` is the report of before, 0 where none was. All of a
 * limit is in use: it is reached, unless more was in use before. More is in use: it is exceeded, unless it was already.
 */
export function newsOfReport(
  limits: Limits,
  { limit: key, value: used }: Pick<UsageReportedData, 'limit' | 'value'>,
  before: number,
): LimitNews | null {
  const allowed = limitOf(limits, key);
  if (allowed === 'unlimited') return null;
  if (used > allowed && before <= allowed) return { type: 'limit.exceeded', limit: { key, used, allowed } };
  if (used === allowed && before < allowed) return { type: 'limit.reached', limit: { key, used, allowed } };
  return null;
}

/** The limits that a change of what is served leaves exceeded and that were not before, by key. */
export function newsOfChange(
  before: Limits,
  after: Limits,
  usage: Readonly<Record<string, number>>,
): readonly LimitNews[] {
  return Object.entries(usage)
    .flatMap(([key, used]): readonly LimitNews[] => {
      const [was, allowed] = [limitOf(before, key), limitOf(after, key)];
      if (allowed === 'unlimited' || used <= allowed) return [];
      if (was !== 'unlimited' && used > was) return [];
      return [{ type: 'limit.exceeded', limit: { key, used, allowed } }];
    })
    .sort((a, b) => (a.limit.key < b.limit.key ? -1 : 1));
}

/** Whether any limit is lower than before: else no usage can be above what is allowed now and was not. */
export function isAnyLower(before: Limits, after: Limits): boolean {
  return Object.keys(before).some((key) => {
    const [was, is] = [limitOf(before, key), limitOf(after, key)];
    return is !== 'unlimited' && (was === 'unlimited' || is < was);
  });
}

/** What is not named is not given. */
function limitOf(limits: Limits, key: string): Limit {
  return Object.hasOwn(limits, key) ? (limits[key] ?? 0) : 0;
}
