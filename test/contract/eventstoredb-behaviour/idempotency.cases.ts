import { randomUUID } from 'node:crypto';
import { type EventStoreDBClient, jsonEvent, WrongExpectedVersionError } from '@eventstore/db-client';
import { z } from 'zod';
import type { CaseFamily, RecordedCase } from './cases.js';
import { along, eventsOf, PATHS, type Path, type World } from './world.js';

type Expected = bigint | 'any' | 'no_stream' | 'stream_exists';

/** What each case appends, by the middle of its id: names of events; `e…` and `b…` are there before, others are new. */
const APPENDED: Readonly<Record<string, readonly string[]>> = {
  'single-e0': ['e0'],
  'single-e1': ['e1'],
  'single-e2': ['e2'],
  fresh: ['n'],
  'fresh-missing': ['n'],
  'batch-whole': ['b0', 'b1', 'b2'],
  'batch-then-more': ['b0', 'b1', 'b2'],
  'batch-firsthalf': ['b0', 'b1', 'b2', 'n3', 'n4'],
  'batch-newfirst': ['n0', 'b0'],
  'batch-subset': ['b1', 'b2'],
  'batch-prefix': ['b0', 'b1'],
  'batch-reordered': ['b2', 'b1', 'b0'],
  'sameid-otherdata': ['e1 with other data'],
  'sameid-otherstream': ['e of stream A'],
  'dup-in-batch': ['x', 'x'],
  'empty-missing': [],
  'empty-existing': [],
};

const outcome = z.object({ outcome: z.string() }).catchall(z.unknown());
const onEachPath = z.object({ batchAppend: outcome, unary: outcome });
const answer = z.union([onEachPath, outcome.transform((same) => ({ batchAppend: same, unary: same }))]);
const matrixResult = z.union([
  z.object({ inAllThreeVariantsAndBothPaths: answer }).transform(({ inAllThreeVariantsAndBothPaths }) => ({
    throwing: inAllThreeVariantsAndBothPaths,
    lenient: 'same' as const,
  })),
  z
    .object({
      throwOnAppendFailureTrue: answer,
      throwOnAppendFailureFalse: z.union([z.literal('same'), answer]),
    })
    .transform((both) => ({
      throwing: both.throwOnAppendFailureTrue,
      lenient: both.throwOnAppendFailureFalse,
    })),
]);

/** The idempotency matrix: 147 cases, each on both paths and with both ways of failing. */
export const IDEMPOTENCY: CaseFamily = {
  ids: /^idem-/,
  replay: async (recorded, world) => {
    const { throwing, lenient } = matrixResult.parse(recorded.result);
    for (const path of PATHS) {
      const key = path === 'batch' ? 'batchAppend' : 'unary';
      expect(await appendAgain(recorded, world, path, world.client)).toEqual(throwing[key]);
      if (lenient === 'same') continue;
      expect(await appendAgain(recorded, world, path, world.lenient)).toEqual(lenient[key]);
    }
  },
};

async function appendAgain(
  recorded: RecordedCase,
  world: World,
  path: Path,
  client: EventStoreDBClient,
): Promise<Record<string, unknown>> {
  const [, what, expectedWord] = /^idem-(?:after-restart-)?(.+)-exp-(.+)$/.exec(recorded.id) ?? [];
  if (what === undefined || expectedWord === undefined) throw new Error(`no such case: ${recorded.id}`);
  const ids = new Map<string, string>();
  const stream = await given(recorded.given, world, ids);
  if (recorded.given.includes('restarted')) await world.restart();
  const names = APPENDED[what];
  if (names === undefined) throw new Error(`nothing to append for ${recorded.id}`);
  const before = await eventsOf(world.client, stream);
  const events = names.map((name) => named(name, ids));
  const expectedRevision = expectedFrom(expectedWord);
  const seen = await observeAppend(client, path, stream, expectedRevision, events);
  const after = await eventsOf(world.client, stream);
  const position = seen.at === undefined ? {} : { position: placeOf(seen.at, before.length, after) };
  const showsData = what === 'sameid-otherdata' && !recorded.given.includes('restarted');
  const data = showsData && !seen.words.outcome.startsWith('threw');
  return {
    ...seen.words,
    ...position,
    streamGrewBy: after.length - before.length,
    ...(data ? { dataAfter: after.map((event) => event.data) } : {}),
  };
}

/** Builds what is there before, remembering ids by name; returns the stream to append to. */
async function given(words: string, world: World, ids: Map<string, string>): Promise<string> {
  const stream = `idem-${randomUUID()}`;
  const append = (to: string, names: readonly string[]) =>
    world.client.appendToStream(
      to,
      names.map((name) => named(name, ids)),
    );
  if (words.startsWith('stream with e0,e1,e2')) {
    for (const name of ['e0', 'e1', 'e2']) await append(stream, [name]);
  } else if (words.startsWith('stream with b0,b1,b2')) {
    await append(stream, ['b0', 'b1', 'b2']);
    if (words.includes('one more event')) await append(stream, ['x']);
  } else if (words === 'event e in stream A') {
    await append(`${stream}-A`, ['e of stream A']);
  } else if (words !== 'no stream') throw new Error(`not given: ${words}`);
  return stream;
}

/** The event called `name`: its number is in its data, its id is kept under the first word of its name. */
function named(name: string, ids: Map<string, string>) {
  const [key = name] = name.split(' ');
  const id = ids.get(key) ?? randomUUID();
  ids.set(key, id);
  const n = name.includes('other data') ? 777 : Number(/\d/.exec(name)?.[0] ?? 0);
  return jsonEvent({ id, type: name.includes('other data') ? 'Other' : 'Event', data: { n } });
}

function expectedFrom(word: string): Expected {
  if (word === 'any' || word === 'no_stream' || word === 'stream_exists') return word;
  return BigInt(word.replace('n', ''));
}

interface Seen {
  readonly words: Record<string, unknown> & { readonly outcome: string };
  /** Commit position of the answer. */
  readonly at?: bigint;
}

async function observeAppend(
  client: EventStoreDBClient,
  path: Path,
  stream: string,
  expectedRevision: Expected,
  events: ReturnType<typeof named>[],
): Promise<Seen> {
  const deadline = 2_000;
  // A client that opens its batch stream for two appends at once may send the second first.
  if (path === 'batch') await client.appendToStream(`before-${stream}`, named('n', new Map()));
  const append = client.appendToStream(stream, events, { expectedRevision, deadline, ...along(path) });
  try {
    const result = await (path === 'batch' ? Promise.race([append, silence(client, append)]) : append);
    if (result === 'no answer') return { words: { outcome: 'no answer within 15 s' } };
    const { success, nextExpectedRevision, position } = result;
    return {
      words: {
        outcome: success ? 'success' : 'success=false',
        nextExpectedRevision: `${nextExpectedRevision}n`,
        ...(position === undefined ? { position: 'absent' } : {}),
      },
      ...(position === undefined ? {} : { at: position.commit }),
    };
  } catch (error) {
    return { words: refusalInWords(error) };
  }
}

/** The server answers a batch stream in order: what is not answered before the next append is never answered. */
async function silence(client: EventStoreDBClient, append: Promise<unknown>): Promise<'no answer'> {
  append.catch(() => undefined);
  await client.appendToStream(`after-${randomUUID()}`, [named('n', new Map())]);
  return 'no answer';
}

function refusalInWords(error: unknown): Seen['words'] {
  if (!(error instanceof Error)) throw error;
  const type: unknown = Reflect.get(error, 'type');
  const words = { outcome: `threw ${error.constructor.name}`, type };
  if (!(error instanceof WrongExpectedVersionError)) return words;
  const inWords = (version: unknown) => (typeof version === 'bigint' ? `${version}n` : version);
  return {
    ...words,
    expectedVersion: inWords(error.expectedVersion),
    actualVersion: inWords(error.actualVersion),
  };
}

function placeOf(
  at: bigint,
  lengthBefore: number,
  after: readonly { readonly revision: bigint; readonly position?: { readonly commit: bigint } }[],
): string {
  const event = after.find(({ position }) => position?.commit === at);
  if (event === undefined) return 'of no event in the stream';
  const kind = event.revision < lengthBefore ? 'already stored' : 'newly stored';
  return `of the ${kind} event at revision ${event.revision}`;
}
