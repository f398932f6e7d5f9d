import { setImmediate as turn } from 'node:timers/promises';
import { until } from '../../test/support/until.js';
import type { EventStream } from '../http/event-stream.js';
import type { Served } from '../projections/entitlements/snapshot.js';
import { SnapshotChanges } from '../projections/read-models/snapshot-changes.js';
import { LongPolls } from './long-polls.js';
import { SnapshotWatch } from './snapshot-watch.js';
import { StreamPlaces } from './stream-places.js';
import { parseEventId } from './told-snapshot.js';
import { streamUser, tellSnapshot } from './user-stream.js';

/** Snapshots in memory, which count how often they are read. */
class Snapshots {
  readonly #now = new Map<string, Served>();
  readonly reads: string[] = [];
  isConfirmed = true;
  fails = 0;
  /** Held until it resolves, as a slow database does. */
  hold: Promise<void> | null = null;

  set(
    userId: string,
    version: number,
    text: string,
    position: number,
    holdsUntil = Number.POSITIVE_INFINITY,
  ): void {
    const snapshot = { userId, revocationVersion: version, text };
    const served = { userId, snapshot, body: JSON.stringify(snapshot), etag: `"${version}${text}"` };
    this.#now.set(userId, { ...served, position: String(position), holdsUntil } as unknown as Served);
  }

  async read(userId: string): Promise<Served> {
    this.reads.push(userId);
    const found = this.#now.get(userId);
    await this.hold;
    if (this.fails > 0) {
      this.fails -= 1;
      throw new Error('the database is away');
    }
    if (found === undefined) throw new Error('no such user');
    return found;
  }
}

/** A client; `isSlow` takes nothing but what it has been given room for. */
class Client {
  readonly nobody = new AbortController();
  readonly sent: string[] = [];
  isSlow = false;
  #makeRoom: () => void = () => undefined;

  readonly stream: EventStream = {
    signal: this.nobody.signal,
    hasRoom: true,
    send: () => undefined,
    sendText: (text) => {
      const [, event, id, data] = /^event: (\w+)\nid: (.*)\ndata: (.*)\n\n$/.exec(text) ?? [];
      const { revocationVersion, text: words, etag } = JSON.parse(data ?? '');
      expect(etag).toBe(`"${revocationVersion}${words}"`);
      this.sent.push(`${event} ${revocationVersion}${words} ${id}`);
    },
    room: () =>
      this.isSlow
        ? new Promise((resolve) => {
            this.#makeRoom = resolve;
          })
        : Promise.resolve(),
  };

  makeRoom(): void {
    this.#makeRoom();
  }

  leave(): void {
    this.nobody.abort();
    this.#makeRoom();
  }
}

describe('A stream of a user', () => {
  let now: number;
  let snapshots: Snapshots;
  let changes: SnapshotChanges;
  let watch: SnapshotWatch;
  let troubles: number;
  const running: Promise<void>[] = [];
  const clients: Client[] = [];
  beforeEach(() => {
    now = 1_790_000_000_000;
    troubles = 0;
    snapshots = new Snapshots();
    snapshots.set('ann', 1, 'a', 10);
    changes = new SnapshotChanges();
    watch = new SnapshotWatch({
      reader: snapshots,
      changes,
      now: () => now,
      onTrouble: () => {
        troubles += 1;
      },
    });
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.leave();
    await Promise.all(running.splice(0));
    expect(watch.users).toBe(0);
    watch.onModuleDestroy();
  });

  function opened(lastEventId?: string, userId = 'ann', tell = tellSnapshot): Client {
    const client = new Client();
    clients.push(client);
    running.push(streamUser(watch, { userId, seen: parseEventId(lastEventId), tell }, client.stream));
    return client;
  }

  function committed(...users: readonly string[]): void {
    changes.changed(users);
    changes.confirmed({ generation: 1, liveEpoch: 0, checkpoint: {} as never }, false);
  }

  async function settled(): Promise<void> {
    for (let n = 0; n < 10; n += 1) await turn();
  }

  it('begins with the snapshot, says what each change is, and nothing where nothing changed', async () => {
    const client = opened();
    await settled();
    for (const [version, text, position] of [
      [2, 'b', 11],
      [2, 'c', 12],
      [2, 'c', 13],
      [3, 'c', 14],
    ] as const) {
      snapshots.set('ann', version, text, position);
      committed('ann', 'bob');
      await settled();
    }
    expect(client.sent).toEqual([
      'snapshot 1a 10.1.1a',
      'change 2b 11.2.2b',
      'update 2c 12.2.2c',
      'change 3c 14.3.3c',
    ]);
  });

  it('is not told by a read that was under way when it began, which may know less than its client', async () => {
    let answer: () => void = () => undefined;
    snapshots.hold = new Promise((resolve) => {
      answer = resolve;
    });
    const first = opened();
    await settled();
    expect(snapshots.reads).toEqual(['ann']);
    // Somebody has the second by a request of his own, before the read of the first is answered.
    snapshots.set('ann', 2, 'b', 11);
    committed('ann');
    const second = opened('11.2.2b');
    snapshots.hold = null;
    answer();
    await settled();
    expect(first.sent).toEqual(['snapshot 1a 10.1.1a', 'change 2b 11.2.2b']);
    expect(second.sent).toEqual(['snapshot 2b 11.2.2b']);
  });

  it('begins at once though a read of another ends in the same moment', async () => {
    opened();
    await settled();
    // In one of these turns of the queue of promises the read has just seen that nobody else is due.
    for (let turns = 0; turns < 20; turns += 1) {
      committed('ann');
      for (let n = 0; n < turns; n += 1) await Promise.resolve();
      snapshots.set(`user ${turns}`, 1, 'a', 10);
      const client = opened(undefined, `user ${turns}`);
      await settled();
      expect({ turns, sent: client.sent }).toEqual({ turns, sent: ['snapshot 1a 10.1.1a'] });
    }
  });

  it.each([
    ['what is there now', '9.1.1a', 'snapshot'],
    ['another version', '9.0.0z', 'change'],
    ['the version, and something else', '9.1.1z', 'update'],
    ['nothing that we gave', 'x', 'snapshot'],
  ])('goes on from %s', async (_, id, event) => {
    const client = opened(id);
    await settled();
    expect(client.sent).toEqual([`${event} 1a 10.1.1a`]);
  });

  it('is read once a change, however many listen, and not for users to whom nobody listens', async () => {
    snapshots.set('bob', 1, 'a', 10);
    const all = Array.from({ length: 50 }, () => opened());
    const bob = opened(undefined, 'bob');
    await settled();
    snapshots.reads.length = 0;
    snapshots.set('ann', 2, 'b', 11);
    committed('ann', 'cleo');
    await settled();
    expect(snapshots.reads).toEqual(['ann']);
    expect(new Set(all.map(({ sent }) => sent.at(-1)))).toEqual(new Set(['change 2b 11.2.2b']));
    expect(bob.sent).toHaveLength(1);
  });

  it('gives a slow reader the newest alone, once it has room', async () => {
    const client = opened();
    client.isSlow = true;
    await settled();
    for (const version of [2, 3, 4]) {
      snapshots.set('ann', version, 'b', 10 + version);
      committed('ann');
      await settled();
    }
    expect(client.sent).toHaveLength(1);
    client.makeRoom();
    await settled();
    expect(client.sent.slice(1)).toEqual(['change 4b 14.4.4b']);
  });

  it('tells nothing older after something newer, also while the database is slow', async () => {
    const client = opened();
    await settled();
    let release: () => void = () => undefined;
    snapshots.hold = new Promise((resolve) => {
      release = resolve;
    });
    snapshots.set('ann', 2, 'b', 11);
    committed('ann');
    await settled();
    snapshots.set('ann', 3, 'c', 12);
    committed('ann');
    snapshots.hold = null;
    await settled();
    release();
    await settled();
    expect(client.sent.slice(1)).toEqual(['change 2b 11.2.2b', 'change 3c 12.3.3c']);
  });

  it('tells what time alone changes', async () => {
    snapshots.set('ann', 1, 'a', 10, now + 60_000);
    const client = opened();
    await settled();
    now += 60_000;
    snapshots.set('ann', 2, 'b', 10);
    await until('the change by time', () => client.sent.length > 1);
    expect(client.sent.at(-1)).toBe('change 2b 10.2.2b');
  });

  it('asks the database again and again where nothing is heard of commits, and when a read failed', async () => {
    const client = opened();
    await settled();
    snapshots.isConfirmed = false;
    snapshots.fails = 1;
    snapshots.set('ann', 2, 'b', 11);
    await until('the change that nobody told of', () => client.sent.length > 1);
    expect(client.sent.at(-1)).toBe('change 2b 11.2.2b');
    expect(troubles).toBe(1);
  });

  it('is bounded in number, of a user and in all, and its place is given back once', () => {
    const places = new StreamPlaces({ max: 3, perUser: 2 });
    const release = places.take('ann');
    places.take('ann');
    const refusal = (userId: string) => {
      try {
        places.take(userId);
        return 'taken';
      } catch (error) {
        return error;
      }
    };
    const headers = { 'retry-after': expect.stringMatching(/^\d+$/) };
    expect(refusal('ann')).toMatchObject({ code: 'too_many_streams', headers });
    expect(refusal('bob')).toBe('taken');
    expect(refusal('cleo')).toMatchObject({ code: 'streams_full', headers });
    release();
    release();
    expect(places.taken).toBe(2);
    expect(refusal('ann')).toBe('taken');
  });

  it('leaves room for users where guards of one key hold streams of the feed', () => {
    const places = new StreamPlaces({ max: 10, perUser: 20 });
    const release = places.takeFeed('key:guards');
    places.takeFeed('key:guards');
    const refused = { code: 'too_many_streams', headers: { 'retry-after': expect.stringMatching(/^\d+$/) } };
    expect(() => places.takeFeed('key:guards')).toThrow(expect.objectContaining(refused));
    places.takeFeed('key:others');
    release();
    places.takeFeed('key:guards');
    for (let n = 3; n < 10; n += 1) places.take('key:guards');
    expect(() => places.takeFeed('key:others')).toThrow(expect.objectContaining({ code: 'streams_full' }));
  });

  describe('beside a long poll', () => {
    let polls: LongPolls;
    beforeEach(() => {
      polls = new LongPolls(watch, new StreamPlaces({ max: 10, perUser: 10 }));
    });
    const poll = (waitMs: number, ...signals: readonly AbortSignal[]) =>
      polls.wait({ userId: 'ann', waitMs, isNews: ({ etag }) => etag !== '"1a"', signals });

    it('ends it with the change', async () => {
      const answer = poll(3_600_000);
      await settled();
      snapshots.set('ann', 2, 'b', 11);
      committed('ann');
      expect(await answer).toMatchObject({ etag: '"2b"', position: '11' });
    });

    it.each([
      ['the time', () => poll(1)],
      ['whoever waits leaving', () => poll(3_600_000, AbortSignal.timeout(1))],
    ])('leaves its end to %s where nothing changes', async (_, asked) => {
      // It may be over before the first read.
      expect(['"1a"', null]).toContain((await asked())?.etag ?? null);
    });

    it('leaves its end to the stop of the service, as of those that come later', async () => {
      const answer = poll(3_600_000);
      await settled();
      polls.close();
      expect(await answer).toMatchObject({ etag: '"1a"' });
      expect(await poll(3_600_000)).toBeNull();
    });
  });
});
