import { LogDriver } from '../log/log-driver-process.js';
import type { WorkReport } from '../report.js';
import type { EventStoreContext } from '../support/eventstore-context.js';
import { expectEqual } from '../support/expect-equal.js';
import { compareLogs } from './log-contest.js';

/** Events of a page, as the projections read them. */
const PAGE = 500;
/** More than any log that is filled here: one read, to the end. */
const ALL_AT_ONCE = 2 ** 31;

/** Events per second of walking to the end of the log: pages through the port, pages and one read with the bare client. */
export async function benchReadAll({ context, server, log, prefix }: EventStoreContext): Promise<WorkReport> {
  const { logEvents: events, warmUpSeconds, querySeconds } = context.effort;
  const streams = `${prefix}read-`;
  const after = await log.mark();
  await log.fill(streams, events);
  expectEqual(`events in ${streams}…`, (await log.countStreams(after, streams)).events, events);
  const port = new LogDriver('port', server.url, prefix);
  const bare = new LogDriver('bare', server.url, prefix);
  try {
    const run =
      (driver: LogDriver, page: number, seconds = querySeconds) =>
      () =>
        driver.run({ kind: 'read', after, streams, events, page, seconds });
    for (const driver of [port, bare]) await run(driver, PAGE, warmUpSeconds / 4)();
    await run(bare, ALL_AT_ONCE, warmUpSeconds / 4)();
    return await compareLogs(context, `readAll, pages of ${PAGE}`, { name: 'tenure', run: run(port, PAGE) }, [
      { name: `bare client, pages of ${PAGE}`, run: run(bare, PAGE), least: 0.8 },
      { name: 'bare client, one read to the end', run: run(bare, ALL_AT_ONCE), least: 0.5 },
    ]);
  } finally {
    await port.stop();
    await bare.stop();
  }
}
