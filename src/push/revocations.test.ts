import { setTimeout as pause } from 'node:timers/promises';
import type { EventStream } from '../http/event-stream.js';
import type {
  RevocationFeedReader,
  RevocationLine,
} from '../projections/read-models/revocation-feed.reader.js';
import { SnapshotChanges } from '../projections/read-models/snapshot-changes.js';
import { Revocations } from './revocations.js';

const EPOCH = 'abc123';

/** A feed in memory, which counts how often it is read; `dropped` is the last place whose line is gone. */
class Feed {
  readonly lines: RevocationLine[] = [];
  reads = 0;
  dropped = 0n;
  epoch = EPOCH;
  lost = 0;
  /** What a read waits for once it has looked. */
  answers: Promise<void> = Promise.resolve();

  add(...users: readonly string[]): void {
    for (const userId of users) {
      this.lines.push({ sequence: String(this.lines.length + 1), userId, version: 1 });
    }
  }

  async page(after: bigint, limit: number) {
    this.reads += 1;
    const { epoch, dropped, lines } = this;
    const from = after > dropped ? after : dropped;
    const found = lines.filter(({ sequence }) => BigInt(sequence) > from).slice(0, limit);
    const head = BigInt(lines.length);
    await this.answers;
    return { epoch, dropped, head, lines: found };
  }

  lostCommits(): void {
    this.lost += 1;
  }
}

/** A stream that keeps what was sent. */
class Sent {
  readonly #nobody = new AbortController();
  text = '';

  readonly stream: EventStream = {
    signal: this.#nobody.signal,
    hasRoom: true,
    send: () => undefined,
    sendText: (text) => {
      this.text += text;
    },
    room: async () => undefined,
  };

  get events(): readonly string[] {
    return [...this.text.matchAll(/^event: (\w+)\nid: (.*)$/gm)].map(([, event, id]) => `${event} ${id}`);
  }

  leave(): void {
    this.#nobody.abort();
  }
}

describe('The revocation feed', () => {
  let feed: Feed;
  let changes: SnapshotChanges;
  let revocations: Revocations;
  beforeEach(() => {
    feed = new Feed();
    changes = new SnapshotChanges();
    revocations = new Revocations({
      reader: feed as unknown as RevocationFeedReader,
      changes,
      isOurs: () => true,
      onTrouble: (error) => {
        throw error;
      },
    });
  });
  afterEach(() => revocations.onModuleDestroy());

  const committed = (...users: readonly string[]): void => {
    feed.add(...users);
    changes.changed(users);
    changes.confirmed({ generation: 1, liveEpoch: 0, checkpoint: {} as never }, false);
  };

  it('is told page by page, from the oldest line kept when no cursor is given', async () => {
    feed.add('ann', 'bob', 'cleo');
    feed.dropped = 1n;
    const first = await revocations.page(null, 1);
    expect(first).toEqual({
      revocations: [{ kind: 'user', id: 'bob', version: 1, cursor: `${EPOCH}.2` }],
      cursor: `${EPOCH}.2`,
      hasMore: true,
    });
    expect(await revocations.page(first.cursor, 10)).toMatchObject({
      revocations: [{ id: 'cleo' }],
      cursor: `${EPOCH}.3`,
      hasMore: false,
    });
    expect(await revocations.page(`${EPOCH}.3`, 10)).toEqual({
      revocations: [],
      cursor: `${EPOCH}.3`,
      hasMore: false,
    });
  });

  it.each([
    ['another epoch', 'fff.2'],
    ['beyond the end', `${EPOCH}.4`],
    ['older than what is kept', `${EPOCH}.0`],
  ])('is reset for a cursor of %s', async (_, cursor) => {
    feed.add('ann', 'bob', 'cleo');
    feed.dropped = 1n;
    await expect(revocations.page(cursor, 10)).rejects.toMatchObject({ code: 'feed_reset' });
    await expect(revocations.begin(cursor)).rejects.toMatchObject({ code: 'feed_reset' });
  });

  it.each(['', '2', 'abc', `${EPOCH}.-1`, `${EPOCH}.01`, 'ABC.1', `${EPOCH}.1234567890123456789`])(
    'refuses %j as a cursor',
    async (cursor) => {
      await expect(revocations.page(cursor, 10)).rejects.toMatchObject({ code: 'invalid_request' });
    },
  );

  it('reaches every stream in order, by one read for all that stand at one place', async () => {
    feed.add('ann');
    const readers = Array.from({ length: 20 }, () => new Sent());
    const running = readers.map(({ stream }) =>
      revocations.stream({ epoch: EPOCH, sequence: 0n }, stream).catch((error: unknown) => error),
    );
    await pause(0);
    const before = feed.reads;
    expect(before).toBeLessThanOrEqual(2); // the line, and that there is no other
    committed('bob', 'cleo');
    await pause(0);
    expect(feed.reads - before).toBeLessThanOrEqual(2);
    for (const { events } of readers) {
      expect(events.filter((event) => event.startsWith('revocation'))).toEqual([
        `revocation ${EPOCH}.1`,
        `revocation ${EPOCH}.2`,
        `revocation ${EPOCH}.3`,
      ]);
      expect(events).toContain(`heartbeat ${EPOCH}.1`);
    }
    for (const reader of readers) reader.leave();
    await Promise.all(running);
  });

  it('is read anew for who comes after a commit, while a read that began before it is under way', async () => {
    let answer = (): void => undefined;
    feed.answers = new Promise((resolve) => {
      answer = resolve;
    });
    const [early, late] = [new Sent(), new Sent()];
    const begin = { epoch: EPOCH, sequence: 0n };
    const running = [revocations.stream(begin, early.stream)];
    await pause(0);
    committed('ann');
    feed.answers = Promise.resolve();
    running.push(revocations.stream(begin, late.stream));
    await pause(0);
    expect(late.events).toContain(`revocation ${EPOCH}.1`);
    answer();
    early.leave();
    late.leave();
    await Promise.all(running);
  });

  it('ends a stream when it became another one, and says so', async () => {
    const reader = new Sent();
    const running = revocations.stream({ epoch: EPOCH, sequence: 0n }, reader.stream);
    await pause(0);
    feed.epoch = 'fff';
    committed('ann');
    await expect(running).rejects.toMatchObject({ code: 'feed_reset' });
  });

  it('is told at once that commits were lost, whoever reads it', () => {
    const at = (revision: number) => ({ generation: 1, liveEpoch: 0, checkpoint: { revision } as never });
    changes.confirmed(at(5), false);
    changes.confirmed(at(6), false);
    expect(feed.lost).toBe(0);
    changes.confirmed(at(4), true);
    expect(feed).toMatchObject({ lost: 1, reads: 1 });
  });
});
