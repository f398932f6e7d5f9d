import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { obey } from './commands.js';
import { shareWithOthers } from './others.js';
import { EventStoreDbServer } from './server.js';

/**
 * The test server as a process of its own. It prints its connection string, then obeys the lines it reads (`commands.ts`)
 * and prints each when it is done. `--shared` fills its log with events of others, who go on appending.
 */
const { values } = parseArgs({
  options: { port: { type: 'string', default: '0' }, shared: { type: 'boolean', default: false } },
});
const server = await EventStoreDbServer.start(Number(values.port));
if (values.shared) shareWithOthers(server, { before: 600, everyMs: 100 });
process.stdout.write(`${server.url}\n`);
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    void server.stop().then(() => process.exit(0));
  });
}
for await (const line of createInterface({ input: process.stdin })) {
  await obey(server, line);
  process.stdout.write(`${line}\n`);
}
