import { GOLDEN_EVENTS } from '../../../test/support/golden-events.js';
import type { StoredEvent } from '../../events/stored-event.js';
import { CatalogHistory, type PublishedInLog } from './catalog-history.js';

/** Two logs, with another catalogue each at the same place. */
const [OF_BEFORE, OF_NOW] = GOLDEN_EVENTS.filter(({ stored }) => stored.type === 'PlanCatalogPublished').map(
  ({ stored }): StoredEvent => ({ ...stored, position: '7', revision: 0 }),
);
const PLACE: PublishedInLog = { position: '7', revision: 0, recordedAt: 0 };

describe('Catalogues of a log in the place of which another came', () => {
  it('are not told as those of the other, also where one was being read just then', async () => {
    if (OF_BEFORE === undefined || OF_NOW === undefined) throw new Error('two catalogues');
    let stored = OF_BEFORE;
    let answer: (page: StoredEvent[]) => void = () => undefined;
    const answered = new Promise<StoredEvent[]>((resolve) => {
      answer = resolve;
    });
    const history = new CatalogHistory(
      {
        read: async () => [stored],
        readPage: () => (stored === OF_BEFORE ? answered : Promise.resolve([stored])),
      },
      'tenure.',
    );
    expect(await history.publications(['7'])).toMatchObject([{ position: '7' }]);
    const asked = history.catalog(PLACE);
    const now = OF_NOW;
    stored = now;
    // A position that is not known has the publications read again.
    expect(await history.publications(['7', '8'])).toMatchObject([{ position: '7' }]);
    answer([OF_BEFORE]);
    const { addons } = JSON.parse(now.data).catalog;
    expect(await asked).not.toMatchObject({ addons });
    expect(await history.catalog(PLACE)).toMatchObject({ addons });
  });
});
