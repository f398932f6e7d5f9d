/**
 * A process that owns an embedded server: `node … postgres-owner.process.ts <data folder>`. Writes one line of JSON
 * when it has started, or why not, and stops in good order on SIGTERM.
 */
import { startEmbeddedPostgres } from '../../src/database/embedded/embedded-postgres.js';
import { DatabaseError } from '../../src/database/errors.js';

const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

try {
  const server = await startEmbeddedPostgres({ dataDir: process.argv[2] ?? '' });
  process.once('SIGTERM', () => void server.stop().then(() => process.exit(0)));
  say({ url: server.url, server: server.pid });
} catch (error) {
  if (!(error instanceof DatabaseError)) throw error;
  say({ refused: error.name, message: error.message });
}
