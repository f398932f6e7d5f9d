import type { Observation } from './facts.js';
import { isKept } from './growing-list.js';

/**
 * Whether the last observation of a subscription says nothing that the one before it did not: then what is given is given on,
 * by whatever catalogue and at whatever instant. Both are newer than all others, and equal but for names of what changed that
 * nobody judges by, such as `metadata`. Facts that were told otherwise give `false`, and are judged. Of a long list nobody
 * asks: judging it costs what came since.
 */
export function repeatsTheOneBefore(observations: readonly Observation[]): boolean {
  const [before, last] = observations.slice(-2);
  if (before === undefined || last === undefined || isKept(observations)) return false;
  if (last.type !== 'SubscriptionUpdated' || before.type === 'SubscriptionRetrieved') return false;
  if (before.created >= last.created) return false;
  const { data } = last;
  if (data.testClock !== null || data.itemsTruncated) return false;
  return (
    namesNothingJudged(data.previous) && isEqualButForPrevious(before.data, data) && isNewest(observations)
  );
}

/** Whether the observation before the last one is newer than all before it. */
function isNewest(observations: readonly Observation[]): boolean {
  const second = observations.at(-2)?.created ?? Number.NEGATIVE_INFINITY;
  return observations.every(({ created }, nth) => nth >= observations.length - 2 || created < second);
}

/** `names` and `digest` tell twins of one second apart, and nothing else. */
function namesNothingJudged(previous: Observation['data']['previous']): boolean {
  return previous === null || Object.keys(previous).every((key) => key === 'names' || key === 'digest');
}

/** Lists and objects that are equal count as that where they are the same, as facts that are kept have them. */
function isEqualButForPrevious(before: Observation['data'], after: Observation['data']): boolean {
  const [one, other]: readonly Readonly<Record<string, unknown>>[] = [before, after];
  for (const key in one) if (key !== 'previous' && one[key] !== other?.[key]) return false;
  for (const key in other) if (key !== 'previous' && one?.[key] !== other[key]) return false;
  return true;
}
