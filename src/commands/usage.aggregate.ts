import { usageStream } from '../events/stream-names.js';
import type { Aggregate, Origin } from './aggregate.js';

/** Say how much of a limited thing a user has in use. */
export class ReportUsage {
  constructor(
    readonly userId: string,
    readonly limit: string,
    readonly value: number,
    readonly origin: Origin,
  ) {}
}

/** The newest value of each limit that was reported of a user. */
type Usage = Readonly<Record<string, number>>;

/** A report equal to the last of its limit adds nothing. The last event tells all values, so a long stream is not read. */
export const usageAggregate: Aggregate<Usage, ReportUsage> = {
  streamOf: (prefix, { userId }) => usageStream(prefix, userId),
  expectsNewStream: () => false,
  lastTellsAll: true,
  initial: {},
  evolve: (usage, { event }) => (event.type === 'UsageReported' ? event.data.values : usage),
  // Which report is the last is what counts, not by which key it came.
  knows: () => false,
  decide: (usage, { userId, limit, value }) =>
    Object.hasOwn(usage, limit) && usage[limit] === value
      ? []
      : [{ type: 'UsageReported', data: { userId, limit, value, values: { ...usage, [limit]: value } } }],
};
