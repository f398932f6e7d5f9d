import { APPENDS } from './eventstoredb-behaviour/append.cases.js';
import { type CaseFamily, NOT_REPLAYED, RECORDED } from './eventstoredb-behaviour/cases.js';
import { CHECKPOINTS } from './eventstoredb-behaviour/checkpoint.cases.js';
import { CONCURRENCY } from './eventstoredb-behaviour/concurrency.cases.js';
import { CRASHES } from './eventstoredb-behaviour/crash.cases.js';
import { DELETES } from './eventstoredb-behaviour/delete.cases.js';
import { IDEMPOTENCY } from './eventstoredb-behaviour/idempotency.cases.js';
import { READING } from './eventstoredb-behaviour/read.cases.js';
import { SUBSCRIPTIONS } from './eventstoredb-behaviour/subscription.cases.js';
import { World } from './eventstoredb-behaviour/world.js';

const FAMILIES: readonly CaseFamily[] = [
  IDEMPOTENCY,
  ...APPENDS,
  ...READING,
  ...DELETES,
  ...SUBSCRIPTIONS,
  ...CHECKPOINTS,
  ...CONCURRENCY,
  ...CRASHES,
];

const familiesOf = (id: string) => FAMILIES.filter(({ ids }) => ids.test(id));

const isSoak = process.env.REBUILD_EVENTS !== undefined;
/** What takes seconds each, for the thousands of events or the waiting in it: at the soak's size alone. */
const LONG =
  /idempotency-window|many-small|(5|20)MB|5000-small|^checkpoint-.*window|^checkpoint-(readAll|resume|interval)|^conc-2clients|^crash-(load|frozen)|^paused-|^read-your-writes|^poll-|^idem-batch-reordered-exp-(any|stream)|^burst-.*4000|^slow2ms-burst-1\d+/;

describe('the test server does what EventStoreDB 23.10.6 was measured to do', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.open();
  });
  afterAll(async () => {
    await world.close();
  });

  it.each(RECORDED.filter(({ id }) => familiesOf(id).length > 0 && (isSoak || !LONG.test(id))))(
    '$id',
    async (recorded) => {
      for (const { replay } of familiesOf(recorded.id)) await replay(recorded, world);
    },
  );

  it('replays every case or says why not, and never both', () => {
    const loose = RECORDED.filter(({ id }) => {
      const excused = NOT_REPLAYED.filter(({ ids }) => ids.test(id)).length;
      return familiesOf(id).length + excused !== 1;
    });
    expect(loose.map(({ id }) => id)).toEqual([]);
  });
});
