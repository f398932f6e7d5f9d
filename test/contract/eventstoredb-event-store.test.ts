import { describeEventStoreContract } from './event-store.contract.js';
import { openEventStoreDbLog, storesAt } from './eventstoredb-log.js';

describeEventStoreContract('EventStoreDB (the test server)', async () => {
  const log = await openEventStoreDbLog();
  return { store: log.store(), secondStore: log.store(), close: log.close };
});

/** A server of one's own: it keeps what the contract writes. */
const realServer = process.env.TEST_EVENTSTORE_URL;
if (realServer !== undefined) {
  describeEventStoreContract('EventStoreDB (a real server)', async () => {
    const log = storesAt(realServer);
    return { store: log.store(), secondStore: log.store(), close: log.close };
  });
}
