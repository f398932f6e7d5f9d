/**
 * A process that goes on with the builds of a log, by groups and a few events at a time, until it is killed:
 * `node … building.process.ts <connection string> [<connection string of EventStoreDB>]`. It ends with whoever holds its
 * standard input.
 */
import './ends-with-parent.mjs';
import pg from 'pg';
import { openEventStore } from '../../src/event-store/open-event-store.js';
import { openRebuildProjector } from '../../src/projections/rebuild/rebuild-projector.js';

const [, , url = '', eventStoreUrl = null] = process.argv;
const pool = new pg.Pool({ connectionString: url, max: 4 });
const fail = (error: unknown): never => {
  throw error;
};
const store = await openEventStore(
  { eventStoreUrl, streamPrefix: 'tenure.' },
  { pool, databaseUrl: url, onFault: fail },
);
openRebuildProjector({
  store,
  streamPrefix: 'tenure.',
  pool,
  url,
  onFault: (_, { message }) => fail(new Error(message)),
  onSetAside: (_, { id }) => fail(new Error(`${id} is set aside`)),
  onTrouble: fail,
  leastByGroups: 1,
  buildBatchSize: 4,
}).runner.start();
