import { generatedLog } from '../../../test/support/generated-log.js';
import { randomFrom } from '../../../test/support/lives.js';
import { LogInMemory } from '../../../test/support/log-in-memory.js';
import type { Page } from '../../event-store/event-store.js';
import type { Position, StoredEvent } from '../../events/stored-event.js';
import { BoundedLog } from '../engine/bounded-log.js';
import { readEvent, UnreadableEvent } from '../engine/unreadable-event.js';
import { NarrowLog } from './narrow-log.js';
import { Relations } from './relations.js';

/** Each is about one of four customers, and claims it for another user: `user-0` is of the first event. */
const EVENTS: readonly StoredEvent[] = [
  ...generatedLog({ events: 40, customers: 4, random: randomFrom(7) }),
].map((event, n) => ({ ...event, position: String(n + 1) }));

/** What is read for one user of a log whose relations are known up to an event. */
async function narrow(events: readonly StoredEvent[], user: string, relatedTo: Position) {
  const log = new BoundedLog(new LogInMemory(events));
  log.until = relatedTo;
  const relations = await Relations.read(log, new Set([user]), () => undefined);
  if (relations === null) throw new Error('it can be narrowed');
  const narrowed = new NarrowLog(log, relations, relatedTo);
  const read = async (until: Position, limit: number): Promise<readonly StoredEvent[]> => {
    log.until = until;
    const all: StoredEvent[] = [];
    for (let scanned: Position | null = null; ; ) {
      const page: Page = await narrowed.readAll(scanned, limit);
      all.push(...page.events);
      scanned = page.scanned;
      if (page.events.length < limit) return all;
    }
  };
  return { relations, narrowed, read };
}

function streamOf(index: number, events = EVENTS): string {
  return events[index]?.stream ?? '';
}

/** Positions of the events of a stream, and of the last one. */
function ofStream(stream: string): readonly Position[] {
  return EVENTS.filter((event) => event.stream === stream || event.position === '40').map(
    (each) => each.position,
  );
}

describe('A log that is narrowed to a user', () => {
  it('has the events of whatever has to do with the user, the last one and no others, in pages of any size', async () => {
    const { read, relations } = await narrow(EVENTS, 'user-5', '40');
    for (const limit of [1, 3, 7, 100]) {
      const positions = (await read('40', limit)).map(({ position }) => position);
      expect(positions).toEqual(ofStream(streamOf(5)));
    }
    const users = EVENTS.flatMap(({ stream }, n) => (stream === streamOf(5) ? [`user-${n}`] : []));
    const customer = streamOf(5).slice('tenure.customer-'.length);
    const { user, ...others } = relations.related();
    expect(new Set(user)).toEqual(new Set(users));
    expect(others).toMatchObject({ customer: [customer], subscription: [] });
  });

  it('tells the time that events brought which it leaves out, and again when they are read again', async () => {
    const ahead = EVENTS.findIndex(({ stream }, n) => n > 5 && stream !== streamOf(5));
    const late = new Date(Date.UTC(2027, 0, 1)).toISOString();
    const events = EVENTS.map((event, n) =>
      n === ahead
        ? { ...event, metadata: JSON.stringify({ ...JSON.parse(event.metadata), recordedAt: late }) }
        : event,
    );
    const { read, narrowed } = await narrow(events, 'user-5', '40');
    for (let times = 0; times < 2; times += 1) {
      for (const stored of await read('40', 2)) {
        const event = readEvent(stored);
        if (event instanceof UnreadableEvent) throw new Error('each can be read');
        const own = Date.parse(event.metadata.recordedAt);
        expect(narrowed.timeAt(event)).toBe(Number(event.position) > ahead ? Date.parse(late) : own);
      }
    }
  });

  it('has what comes later and has to do with the user, who is not whole once that is about what was left out', async () => {
    const other = streamOf(EVENTS.findIndex(({ stream }) => stream !== streamOf(5)));
    const customer = other.slice('tenure.customer-'.length);
    const joining = { data: JSON.stringify({ customer, userId: 'user-5' }), stream: other };
    const apart = {
      data: JSON.stringify({ customer: 'cus_new', userId: 'user-5' }),
      stream: 'tenure.customer-cus_new',
    };
    for (const [joined, whole] of [
      [apart, ['user-5']],
      [joining, []],
    ] as const) {
      const events = EVENTS.map((event, n) => (n === 34 ? { ...event, ...joined } : event));
      const { read, relations } = await narrow(events, 'user-5', '30');
      expect([...relations.whole()]).toEqual(['user-5']);
      const positions = (await read('40', 4)).map(({ position }) => position);
      expect(positions).toContain('35');
      expect([...relations.whole()]).toEqual(whole);
    }
  });

  it('is not made of one of which an event cannot be read, or that names more than there is room for', async () => {
    const events = EVENTS.map((event, n) => (n === 12 ? { ...event, type: 'Unheard' } : event));
    const read = (given: readonly StoredEvent[], mostIds: number): Promise<Relations | null> =>
      Relations.read(new LogInMemory(given), new Set(['user-5']), () => undefined, mostIds);
    expect(await read(events, 1_000)).toBeNull();
    // Forty users, four customers and their streams.
    expect(await read(EVENTS, 47)).toBeNull();
    expect(await read(EVENTS, 48)).not.toBeNull();
  });
});
