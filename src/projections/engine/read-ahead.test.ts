import { newEvent } from '../../../test/contract/contract-events.js';
import { LogInMemory } from '../../../test/support/log-in-memory.js';
import type { Page } from '../../event-store/event-store.js';
import type { Position, StoredEvent } from '../../events/stored-event.js';
import { ReadAhead } from './read-ahead.js';

const EVENTS: readonly StoredEvent[] = Array.from({ length: 7 }, (_, n) => ({
  ...newEvent(),
  stream: 's',
  revision: n,
  position: String(n + 1),
}));

/** A log in memory that notes what it is asked, and can be away. */
class NotedLog extends LogInMemory {
  readonly asked: string[] = [];
  isAway = false;

  constructor() {
    super(EVENTS);
  }

  override async readAll(after: Position | null, limit: number): Promise<Page> {
    this.asked.push(`${limit} after ${after}`);
    if (this.isAway) throw new Error('away');
    return super.readAll(after, limit);
  }
}

describe('A log that is read ahead', () => {
  let log: NotedLog;
  let ahead: ReadAhead;
  beforeEach(() => {
    log = new NotedLog();
    ahead = new ReadAhead(log);
  });

  /** Positions of a page. */
  async function read(after: Position | null, limit: number): Promise<readonly string[]> {
    return (await ahead.readAll(after, limit)).events.map(({ position }) => position);
  }

  it('has the next page asked for before anyone wants it, each page once, and nothing after the last', async () => {
    expect(await read(null, 3)).toEqual(['1', '2', '3']);
    expect(log.asked).toEqual(['3 after null', '3 after 3']);
    expect(await read('3', 3)).toEqual(['4', '5', '6']);
    expect(await read('6', 3)).toEqual(['7']);
    expect(log.asked).toEqual(['3 after null', '3 after 3', '3 after 6']);
    expect(await read('7', 3)).toEqual([]);
  });

  it('is read anew from another place, or in other steps', async () => {
    expect(await read(null, 3)).toEqual(['1', '2', '3']);
    expect(await read('2', 3)).toEqual(['3', '4', '5']);
    expect(await read('5', 1)).toEqual(['6']);
    expect(await read('6', 3)).toEqual(['7']);
  });

  it('says what was in the way of a page to who asks for it, and reads it the next time', async () => {
    expect(await read(null, 3)).toEqual(['1', '2', '3']);
    log.isAway = true;
    expect(await read('3', 3)).toEqual(['4', '5', '6']); // it was on its way before
    await expect(read('6', 3)).rejects.toThrow('away');
    log.isAway = false;
    expect(await read('6', 3)).toEqual(['7']);
  });
});
