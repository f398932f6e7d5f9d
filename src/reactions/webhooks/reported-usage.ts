import type { EventStore } from '../../event-store/event-store.js';
import type { EventEnvelope } from '../../events/event-envelope.js';
import { usageStream } from '../../events/stream-names.js';
import { readable } from '../occurrences.js';

/** A report of usage, as the log has it. */
export type UsageReport = Extract<EventEnvelope, { type: 'UsageReported' }>;

export interface ReportedUsageOptions {
  readonly store: Pick<EventStore, 'readPage'>;
  readonly streamPrefix: string;
}

const NOTHING: Readonly<Record<string, number>> = {};

/** What users had in use at some place of the log: the row of today may hold what was reported since. */
export class ReportedUsage {
  constructor(private readonly options: ReportedUsageOptions) {}

  /** The newest value of each limit when a report came. */
  async before({ stream, revision }: UsageReport): Promise<Readonly<Record<string, number>>> {
    return revision === 0 ? NOTHING : ((await this.#at(stream, revision - 1))?.data.values ?? NOTHING);
  }

  /**
   * The newest value of each limit of a user in the reports that came before something. `isBefore` is true of reports up
   * to one and of none behind it, which is looked for by doubling steps: a stream of any length costs a few reads.
   */
  async upTo(
    userId: string,
    isBefore: (report: UsageReport) => boolean,
  ): Promise<Readonly<Record<string, number>>> {
    const stream = usageStream(this.options.streamPrefix, userId);
    let values = NOTHING;
    const isThere = async (revision: number): Promise<boolean> => {
      const report = await this.#at(stream, revision);
      if (report === null || !isBefore(report)) return false;
      values = report.data.values;
      return true;
    };
    let [there, beyond] = [-1, 0];
    for (let step = 1; await isThere(beyond); step *= 2) [there, beyond] = [beyond, beyond + step];
    while (beyond - there > 1) {
      const middle = Math.floor((there + beyond) / 2);
      if (await isThere(middle)) there = middle;
      else beyond = middle;
    }
    return values;
  }

  /** `null`: the stream ends before, or this code cannot read what is there. */
  async #at(stream: string, revision: number): Promise<UsageReport | null> {
    const [stored] = await this.options.store.readPage(stream, revision, 1);
    const event = stored === undefined ? null : readable(stored);
    return event?.type === 'UsageReported' ? event : null;
  }
}
