import { describeAppending } from './appending.contract.js';
import type { OpenStores } from './contract-events.js';
import { describeData } from './data.contract.js';
import { describeReading } from './reading.contract.js';
import { describeRepeats } from './repeats.contract.js';

/**
 * What every event store must do, whatever it is made of. `open` gives two stores on one log; the log may hold events of
 * others. Positions are opaque here: ordered, not dense.
 */
export function describeEventStoreContract(name: string, open: () => Promise<OpenStores>): void {
  describe(`${name} keeps the event store contract`, () => {
    let stores: OpenStores;
    beforeAll(async () => {
      stores = await open();
    });
    afterAll(async () => {
      await stores.close();
    });

    describeAppending(() => stores);
    describeRepeats(() => stores);
    describeData(() => stores);
    describeReading(() => stores);
  });
}
