import { GOLDEN_EVENTS } from '../../../test/support/golden-events.js';
import type { Page } from '../../event-store/event-store.js';
import type { EventEnvelope } from '../../events/event-envelope.js';
import type { Position, StoredEvent } from '../../events/stored-event.js';
import type { BatchToCommit } from './batch-committer.js';
import type { Checkpoint } from './checkpoint.js';
import { FoldAhead } from './fold-ahead.js';
import { type ProjectionSource, readBoth } from './projection-source.js';
import type { ProjectedBatch, Projector } from './projector.js';
import { emptyBatch } from './round.js';
import { NOTHING_SET_ASIDE } from './set-aside-summary.js';

const [golden] = GOLDEN_EVENTS.filter(({ name }) => name === 'CustomerObserved.v1');
if (golden === undefined) throw new Error('no golden file');
const EVENTS: readonly StoredEvent[] = Array.from({ length: 5 }, (_, n) => ({
  ...golden.stored,
  position: String(n + 1),
}));
const LOG: Pick<ProjectionSource, 'holds' | 'readAll' | 'readOn'> = {
  holds: async () => true,
  readOn: (checkpoint, limit) => readBoth(LOG, checkpoint, limit),
  readAll: async (after: Position | null, limit: number): Promise<Page> => {
    const from = Number(after ?? 0);
    const events = EVENTS.slice(from, from + limit);
    return { events, scanned: events.at(-1)?.position ?? after };
  },
};

function checkpointAt(handled: Position | null): Checkpoint {
  const [eventId, revision] = [null, Number(handled ?? 0)];
  const nothing = { partialProgress: [], setAside: NOTHING_SET_ASIDE, fault: null };
  return { handled, scanned: handled, eventId, revision, events: revision, logicalTime: 0, ...nothing };
}

/** Notes what it is asked; `ahead` is what it makes of a batch. */
class NotedProjector implements Projector<EventEnvelope> {
  readonly name = 'noted';
  readonly codeVersion = '1';
  readonly done: string[] = [];
  ahead: (count: number) => Promise<ProjectedBatch | null> = async (count) =>
    emptyBatch(count, checkpointAt(null));

  async project(): Promise<ProjectedBatch> {
    throw new Error('nothing is folded in its turn');
  }

  projectAhead(events: readonly unknown[]): Promise<ProjectedBatch | null> {
    this.done.push(`folds ${events.length}`);
    return this.ahead(events.length);
  }

  async writePart(): Promise<ProjectedBatch> {
    throw new Error('nothing is under way');
  }

  async setAside(): Promise<ProjectedBatch> {
    throw new Error('nothing is set aside');
  }

  async retrySetAside(): Promise<null> {
    return null;
  }

  forget(): void {
    this.done.push('forgets');
  }
}

describe('What is folded ahead', () => {
  let projector: NotedProjector;
  let ahead: FoldAhead;
  beforeEach(() => {
    projector = new NotedProjector();
    ahead = new FoldAhead(LOG, projector);
  });

  /** The batch of the first two events, which is about to be committed. */
  function first(changes: Partial<BatchToCommit> = {}): BatchToCommit {
    const batch = { ...emptyBatch(2, checkpointAt(null)), seal: () => projector.done.push('seals') };
    return {
      events: EVENTS.slice(0, 2),
      batch: { ...batch, seal: () => void batch.seal() },
      read: checkpointAt(null),
      scanned: '2',
      limit: 2,
      ...changes,
    };
  }

  it('is the page after the batch that is written, which stays as it is from then on', async () => {
    const next = checkpointAt('2');
    ahead.begin(first(), next);
    const taken = await ahead.take(next);
    expect(taken).toMatchObject({ events: EVENTS.slice(2, 4), read: next, scanned: '4', limit: 2 });
    expect(projector.done).toEqual(['seals', 'folds 2']);
    expect(await ahead.take(next)).toBeNull();
  });

  it('is given up when another checkpoint is gone on from, or the batch before it is not committed', async () => {
    ahead.begin(first(), checkpointAt('2'));
    expect(await ahead.take(checkpointAt('2'))).toBeNull();
    ahead.begin(first(), checkpointAt('2'));
    await ahead.drop();
    expect(projector.done).toEqual(['seals', 'folds 2', 'forgets', 'seals', 'folds 2', 'forgets']);
  });

  it('is forgotten and left to its turn when it fails, also when nobody asks for it', async () => {
    projector.ahead = async () => {
      throw new Error('not with me');
    };
    const next = checkpointAt('2');
    ahead.begin(first(), next);
    expect(await ahead.take(next)).toBeNull();
    expect(projector.done).toEqual(['seals', 'folds 2', 'forgets']);
    ahead.begin(first(), next);
    await ahead.drop();
  });

  it('is read and left to its turn, and nothing forgotten, when it has to wait for what is written', async () => {
    projector.ahead = async () => null;
    const next = checkpointAt('2');
    ahead.begin(first(), next);
    expect(await ahead.take(next)).toMatchObject({ events: EVENTS.slice(2, 4), batch: null });
    expect(projector.done).toEqual(['seals', 'folds 2']);
  });

  it.each<[string, Partial<BatchToCommit>, Partial<Checkpoint>]>([
    ['a page that was not full', { limit: 3 }, {}],
    ['a batch that stops short', { batch: emptyBatch(1, checkpointAt(null)) }, {}],
    [
      'a batch that changes everyone',
      { batch: { ...emptyBatch(2, checkpointAt(null)), changed: 'all' } },
      {},
    ],
    ['streams that are set aside', {}, { setAside: { ...NOTHING_SET_ASIDE, streams: 1 } }],
    ['users who are marked', {}, { setAside: { ...NOTHING_SET_ASIDE, users: 1 } }],
    [
      'an event that is written in parts',
      {},
      {
        partialProgress: [
          { position: '1', id: 'a', type: 't', stream: 's', revision: 0, now: 0, after: null },
        ],
      },
    ],
  ])('is nothing after %s', async (_, changes, of) => {
    const next = { ...checkpointAt('2'), ...of };
    ahead.begin(first(changes), next);
    expect(await ahead.take(next)).toBeNull();
    expect(projector.done).toEqual([]);
  });
});
