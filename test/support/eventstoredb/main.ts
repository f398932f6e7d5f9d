import { parseArgs } from 'node:util';
import { EventStoreDbServer } from './server.js';

/** The test server as a process of its own; its connection string is the one line it prints. */
const { values } = parseArgs({ options: { port: { type: 'string', default: '0' } } });
const server = await EventStoreDbServer.start(Number(values.port));
process.stdout.write(`${server.url}\n`);
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    void server.stop().then(() => process.exit(0));
  });
}
