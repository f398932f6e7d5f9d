import { UnknownPositionError } from '../../event-store/errors.js';
import { BatchSize, readKnownPage } from './batch-reader.js';
import type { ProjectionSource } from './projection-source.js';

describe('The size of a batch', () => {
  it('halves with each time-out, down to one event, and doubles with each commit, up to the full size', () => {
    const size = new BatchSize(500);
    const timeout = new Error('Query read timeout');
    const sizes = Array.from({ length: 10 }, () => {
      size.failed(timeout);
      return size.now;
    });
    expect(sizes).toEqual([250, 125, 62, 31, 15, 7, 3, 1, 1, 1]);
    for (let commits = 0; commits < 9; commits += 1) size.passed();
    expect(size.now).toBe(500);
  });

  it('stays with what is no matter of time', () => {
    const size = new BatchSize(500);
    size.failed(new Error('Connection terminated unexpectedly'));
    expect(size.now).toBe(500);
  });
});

describe('The page after a checkpoint', () => {
  /** A source without events, and what it is asked. */
  function noted(knows: (position: string | null) => boolean) {
    const asked: string[] = [];
    const look = (position: string | null): void => {
      if (!knows(position)) throw new UnknownPositionError('no such position');
    };
    const source: Pick<ProjectionSource, 'readAll' | 'readOn' | 'holds'> = {
      readAll: async (after) => {
        asked.push(`page after ${after}`);
        look(after);
        return { events: [], scanned: after };
      },
      readOn: async ({ handled }) => {
        asked.push(`page and event at ${handled}`);
        look(handled);
        return { events: [], scanned: handled, isKnown: true };
      },
      holds: async ({ handled }) => {
        asked.push(`event at ${handled}`);
        return knows(handled);
      },
    };
    return { source, asked };
  }
  const at = (handled: string | null, scanned: string | null) => ({ handled, scanned, eventId: 'id' });

  it('is asked for together with the event that it goes on from, in one call where that is the last one scanned', async () => {
    const { source, asked } = noted(() => true);
    expect(await readKnownPage(source, at('7', '7'), 10)).toEqual({
      events: [],
      scanned: '7',
      isKnown: true,
    });
    expect(asked).toEqual(['page and event at 7']);
  });

  it('comes after what was scanned of others, and from the beginning where nothing was applied', async () => {
    const { source, asked } = noted(() => true);
    expect(await readKnownPage(source, at('7', '9'), 10)).toMatchObject({ scanned: '9', isKnown: true });
    expect(await readKnownPage(source, at(null, null), 10)).toMatchObject({ scanned: null, isKnown: true });
    expect(asked).toEqual(['page after 9', 'event at 7', 'page after null', 'event at null']);
  });

  it('is empty, and of another log, where the log knows nothing of that event', async () => {
    const { source } = noted(() => false);
    const nothing = { events: [], scanned: '7', isKnown: false };
    expect(await readKnownPage(source, at('7', '7'), 10)).toEqual(nothing);
  });
});
