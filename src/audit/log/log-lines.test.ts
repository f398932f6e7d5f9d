import fc from 'fast-check';
import type { StoredEvent } from '../../events/stored-event.js';
import type { LogFilter } from './log-filter.js';
import { lineOf, logLines } from './log-lines.js';
import { startingWith, streamsPages, wholeLogPages } from './log-source.js';

const HOUR = 3_600_000;
const ALL: LogFilter = { from: null, to: null, stripeEventId: null, since: null, until: null };

/** A log in memory of which each event stands on the stream that is named, at every third position, an hour apart. */
function logOf(...streams: readonly string[]) {
  const seen = new Map<string, number>();
  const events = streams.map((stream, n): StoredEvent => {
    const revision = seen.get(stream) ?? 0;
    seen.set(stream, revision + 1);
    const metadata = { stripeEventId: `evt_${n}`, recordedAt: new Date(n * HOUR).toISOString() };
    const told = { data: '{"a":1}', metadata: JSON.stringify(metadata) };
    return { position: String(3 * n + 3), stream, revision, id: `id-${n}`, type: 'T', ...told };
  });
  const log = {
    reads: 0,
    readAll: async (after: string | null, limit: number) => {
      log.reads += 1;
      const page = events.filter(({ position }) => Number(position) > Number(after ?? 0)).slice(0, limit);
      return { events: page, scanned: page.at(-1)?.position ?? after };
    },
    readPage: async (stream: string, from: number, limit: number) => {
      log.reads += 1;
      return events.filter((each) => each.stream === stream && each.revision >= from).slice(0, limit);
    },
  };
  return { events, log };
}

async function textOf(lines: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const some of lines) text += some;
  return text;
}

function expected(events: readonly StoredEvent[], cursor: string | null): string {
  return `${events.map(lineOf).join('')}${JSON.stringify({ cursor, complete: true })}\n`;
}

const never = (): boolean => false;

describe('The lines of the log', () => {
  it('hold the very texts of data and metadata, and where the event stands', () => {
    const { events } = logOf('a');
    const [event] = events;
    if (event === undefined) throw new Error('an empty log');
    const told = { ...event, data: '{"z":1,"text":"\\u2028 \\\\n"}', metadata: '{"b":2}' };
    const line = lineOf(told);
    expect(line).toContain(`"data":${told.data},"metadata":${told.metadata}}\n`);
    expect(JSON.parse(line)).toEqual({ ...told, data: JSON.parse(told.data), metadata: { b: 2 } });
  });

  it('are all of them, in order, whatever their number, then where to go on', async () => {
    const { events, log } = logOf(...Array.from({ length: 1_203 }, () => 'a'));
    const last = events.at(-1)?.position ?? '';
    const lines = logLines(wholeLogPages(log, null, last), ALL, null, never);
    expect(await textOf(lines)).toBe(expected(events, last));
  });

  it('go on behind a cursor with what is missing, and come to nothing new at the end', async () => {
    const { events, log } = logOf('a', 'b', 'a', 'c', 'b');
    for (const [n, { position }] of events.entries()) {
      const lines = logLines(wholeLogPages(log, position, '15'), ALL, position, never);
      expect(await textOf(lines)).toBe(expected(events.slice(n + 1), '15'));
    }
  });

  it.each<[string, Partial<LogFilter>, readonly number[], string]>([
    ['up to a position', { to: '7' }, [0, 1], '6'],
    ['from a position on', { from: '6', to: '9' }, [1, 2], '9'],
    ['of one Stripe event', { stripeEventId: 'evt_3' }, [3], '15'],
    ['recorded in a time, both ends included', { since: HOUR, until: 3 * HOUR }, [1, 2, 3], '15'],
    ['of nothing', { stripeEventId: 'evt_9' }, [], '15'],
  ])('are those %s, and the cursor is behind all that was looked at', async (_, asked, kept, cursor) => {
    const { events, log } = logOf('a', 'b', 'a', 'c', 'b');
    const filter = { ...ALL, ...asked };
    const lines = logLines(wholeLogPages(log, null, filter.to ?? '15'), filter, null, never);
    expect(await textOf(lines)).toBe(
      expected(
        events.filter((__, n) => kept.includes(n)),
        cursor,
      ),
    );
  });

  it('begin with an event that is named', async () => {
    const { events, log } = logOf('a', 'b', 'a');
    const [, second] = events;
    if (second === undefined) throw new Error('a log of one');
    const pages = startingWith(second, wholeLogPages(log, second.position, '9'));
    expect(await textOf(logLines(pages, ALL, null, never))).toBe(expected(events.slice(1), '9'));
  });

  it('of several streams are those of the log that stand on them, behind any event', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 40 }),
        fc.subarray(['a', 'b', 'c', 'e']),
        fc.nat(41),
        async (all, asked, skipped) => {
          const { events, log } = logOf(...all);
          const after = events[skipped]?.position ?? null;
          const found: StoredEvent[] = [];
          for await (const page of streamsPages(log, asked, after)) found.push(...page);
          const behind = events.slice(after === null ? 0 : skipped + 1);
          expect(found).toEqual(behind.filter(({ stream }) => asked.includes(stream)));
        },
      ),
    ));

  it('end with a stop behind the last line that was given, and say that there is more', async () => {
    const { events, log } = logOf(...Array.from({ length: 1_200 }, () => 'a'));
    let given = 0;
    const lines = logLines(wholeLogPages(log, null, '3600'), ALL, null, () => given > 0);
    let text = '';
    for await (const some of lines) {
      text += some;
      given += 1;
    }
    const count = text.trim().split('\n').length - 1;
    expect(count).toBeLessThan(600);
    const { position: cursor } = events[count - 1] ?? {};
    const last = JSON.stringify({ cursor, complete: false });
    expect(text).toBe(`${events.slice(0, count).map(lineOf).join('')}${last}\n`);
  });

  it('are read no further ahead than a page', async () => {
    const { log } = logOf(...Array.from({ length: 5_000 }, () => 'a'));
    const lines = logLines(wholeLogPages(log, null, '15000'), ALL, null, never);
    await lines.next();
    expect(log.reads).toBeLessThanOrEqual(2);
    await lines.return();
  });
});
