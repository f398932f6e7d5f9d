import { LogDriver } from '../log/log-driver-process.js';
import type { LogResult } from '../log/protocol.js';
import type { WorkReport } from '../report.js';
import type { EventStoreContext } from '../support/eventstore-context.js';
import { expectEqual } from '../support/expect-equal.js';
import { compareLogs } from './log-contest.js';

const IN_FLIGHT = [16, 64];
const LEAST = 0.8;

/** Events per second, each alone in a new stream: through Tenure's adapter and with the bare client. */
export async function benchAppend(eventStore: EventStoreContext): Promise<WorkReport> {
  const { context, server, prefix } = eventStore;
  const { warmUpSeconds, ingestSeconds } = context.effort;
  const port = new LogDriver('port', server.url, prefix);
  const bare = new LogDriver('bare', server.url, prefix);
  try {
    for (const driver of [port, bare]) await append(eventStore, driver, 'warm', 16, warmUpSeconds / 2);
    const reports: WorkReport[] = [];
    for (const inFlight of IN_FLIGHT) {
      const run = (driver: LogDriver) => (round: number) =>
        append(eventStore, driver, `f${inFlight}r${round}`, inFlight, ingestSeconds);
      reports.push(
        await compareLogs(context, `append, ${inFlight} in flight`, { name: 'tenure', run: run(port) }, [
          { name: 'bare client, unary appends', run: run(bare), least: LEAST },
        ]),
      );
    }
    return { rows: reports.flatMap(({ rows }) => rows), notes: reports.flatMap(({ notes }) => notes) };
  } finally {
    await port.stop();
    await bare.stop();
  }
}

/** One run; afterwards the log must hold what was acknowledged, each in its own stream. */
async function append(
  { log, prefix }: EventStoreContext,
  driver: LogDriver,
  tag: string,
  inFlight: number,
  seconds: number,
): Promise<LogResult> {
  const streams = `${prefix}append-${tag}-${driver.side}-`;
  const before = await log.mark();
  const result = await driver.run({ kind: 'append', streams, inFlight, seconds });
  const found = await log.countStreams(before, streams);
  expectEqual(`events in ${streams}…`, found.events, result.done);
  expectEqual(`streams ${streams}…`, found.streams, result.done);
  return result;
}
