import { randomUUID } from 'node:crypto';
import { WrongExpectedVersionError } from '@eventstore/db-client';
import { z } from 'zod';
import { until } from '../../support/until.js';
import type { CaseFamily } from './cases.js';
import { along, batchOf, eventsOf, numbered, type Path, type World } from './world.js';

const pathOf = (id: string): Path => (id.includes('unary') ? 'unary' : 'batch');

/** 400 appends at once over two clients: every one is answered, with its own answer. */
const TWO_CLIENTS: CaseFamily = {
  ids: /^conc-2clients-/,
  replay: async ({ id, result }, world) => {
    const oneStream = id.endsWith('onestream-any') ? `one-${randomUUID()}` : undefined;
    const counts = {
      answersMismatched: 0,
      wrongExpectedAnsweredRight: 0,
      wrongExpectedAnsweredWrong: 0,
      otherErrors: 0,
    };
    const clients = [world.client, world.second];
    const appends = Array.from({ length: 400 }, async (_, n) => {
      const wrong = oneStream === undefined && n % 10 === 0;
      const stream = oneStream ?? `own-${randomUUID()}`;
      const client = clients[n % 2] ?? world.client;
      const expectedRevision = oneStream === undefined ? (wrong ? 7n : 'no_stream') : 'any';
      try {
        const { position } = await client.appendToStream(stream, numbered(n), {
          expectedRevision,
          ...along(pathOf(id)),
        });
        if (wrong) counts.wrongExpectedAnsweredWrong += 1;
        if (position === undefined) throw new Error('no position');
        for await (const { event } of client.readAll({ fromPosition: position, maxCount: 1 })) {
          if (event?.streamId !== stream || event.type !== `E${n}`) counts.answersMismatched += 1;
        }
      } catch (error) {
        if (!(error instanceof WrongExpectedVersionError) || !wrong) counts.otherErrors += 1;
        else if (error.streamName === stream) counts.wrongExpectedAnsweredRight += 1;
        else counts.wrongExpectedAnsweredWrong += 1;
      }
    });
    const outcomes = await Promise.allSettled(appends);
    const recorded = z.looseObject({ ms: z.number() }).parse(result);
    expect({ hung: 400 - outcomes.length, ...counts, ms: recorded.ms }).toEqual(recorded);
  },
};

/** Appends of one client along the batch path keep their order. */
const PIPELINED: CaseFamily = {
  ids: /^pipelined-chain-batch$/,
  replay: async ({ result }, { client }) => {
    const stream = `chain-${randomUUID()}`;
    const outcomes = await Promise.allSettled(
      Array.from({ length: 50 }, (_, n) =>
        client.appendToStream(stream, numbered(n), {
          expectedRevision: n === 0 ? 'no_stream' : BigInt(n - 1),
        }),
      ),
    );
    const events = await eventsOf(client, stream);
    expect({
      fulfilled: outcomes.filter(({ status }) => status === 'fulfilled').length,
      rejected: outcomes.filter(({ status }) => status === 'rejected'),
      streamLen: events.length,
      inOrder: events.every(({ type }, n) => type === `E${n}`),
    }).toEqual(result);
  },
};

const RACE_EXPECTED = {
  no_stream: 'no_stream',
  any: 'any',
  exact: 0n,
  stream_exists: 'stream_exists',
} as const;

/** How long an event stays unindexed in these races, so that every repeat comes too early. */
const INDEX_DELAY_MS = 150;

/** How long a dropped repeat waits for its timeout; the real server takes 2 to 3 s. */
const WRITE_TIMEOUT_MS = 200;

function dropRepeats({ log, faults }: World['server']): void {
  log.indexDelayMs = INDEX_DELAY_MS;
  faults.writeTimeoutMs = WRITE_TIMEOUT_MS;
}

function keepRepeats({ log, faults }: World['server']): void {
  log.indexDelayMs = 0;
  faults.writeTimeoutMs = 2_000;
}

/** The same append many times at once: stored once; a repeat that is not too early succeeds, the others time out. */
const SAME_APPEND: CaseFamily = {
  ids: /^race-same-append-/,
  replay: async ({ id, result }, world) => {
    const [, word = ''] = /-(no_stream|any|exact|stream_exists)$/.exec(id) ?? [];
    const expectedRevision = z.enum(['no_stream', 'any', 'exact', 'stream_exists']).parse(word);
    const starts = expectedRevision === 'exact' || expectedRevision === 'stream_exists' ? 1 : 0;
    const stream = await world.stream(starts);
    const events = batchOf(2);
    dropRepeats(world.server);
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, n) =>
        (n % 2 === 0 ? world.client : world.second)
          .appendToStream(stream, events, {
            expectedRevision: RACE_EXPECTED[expectedRevision],
            ...along(pathOf(id)),
          })
          .then(
            ({ nextExpectedRevision }) => `ok next=${nextExpectedRevision} pos=right`,
            (error: Error) => `ERR ${error.constructor.name} ${Reflect.get(error, 'type')}`,
          ),
      ),
    );
    keepRepeats(world.server);
    const { answers: recorded } = z.object({ answers: z.record(z.string(), z.number()) }).parse(result);
    expect([...new Set(answers)].sort()).toEqual(Object.keys(recorded).sort());
    expect(await world.lengthOf(stream)).toBe(starts + 2);
  },
};

/** Two un-awaited identical appends: the second is dropped while the first is being indexed, and succeeds later. */
const PIPELINED_TWICE: CaseFamily = {
  ids: /^dup-pipelined$/,
  replay: async ({ result }, { client, server }) => {
    expect(result).toEqual({ 'first pos present, second pos absent': 5 });
    const stream = `twice-${randomUUID()}`;
    const event = numbered(0);
    const append = () => client.appendToStream(stream, event, { expectedRevision: 'no_stream' });
    dropRepeats(server);
    const [first, second] = await Promise.allSettled([append(), append()]);
    keepRepeats(server);
    expect(first).toMatchObject({ status: 'fulfilled', value: { success: true } });
    expect(second).toMatchObject({ status: 'rejected', reason: { type: 'deadline-exceeded' } });
    expect(await append()).toMatchObject({ success: true, nextExpectedRevision: 0n });
  },
};

/** Different appends at the same revision: one winner. */
const DIFFERENT_APPENDS: CaseFamily = {
  ids: /^race-different-/,
  replay: async ({ id, result }, world) => {
    const winners = new Set<number>();
    for (let round = 0; round < 20; round += 1) {
      const stream = await world.stream(1);
      const outcomes = await Promise.allSettled(
        Array.from({ length: 50 }, (_, n) =>
          world.client.appendToStream(stream, numbered(n), { expectedRevision: 0n, ...along(pathOf(id)) }),
        ),
      );
      winners.add(outcomes.filter(({ status }) => status === 'fulfilled').length);
    }
    expect({ winnersPerRound: [...winners] }).toEqual(result);
  },
};

/** What was acknowledged to one client is read by another. */
const READ_YOUR_WRITES: CaseFamily = {
  ids: /^read-your-writes$/,
  replay: async ({ result }, { client, second }) => {
    const missing = { missingInReadStream: 0, missingInReadAll: 0 };
    for (let n = 0; n < 400; n += 1) {
      const stream = `ryw-${randomUUID()}`;
      const { position } = await client.appendToStream(stream, numbered(n));
      if ((await eventsOf(second, stream)).length !== 1) missing.missingInReadStream += 1;
      if (position === undefined) throw new Error('no position');
      let there = false;
      for await (const { event } of second.readAll({ fromPosition: position, maxCount: 1 })) {
        there = event?.streamId === stream;
      }
      if (!there) missing.missingInReadAll += 1;
    }
    expect(missing).toEqual(result);
  },
};

/** A reader that polls from its last position while others write sees everything once. */
const POLLING: CaseFamily = {
  ids: /^poll-readAll-vs-writers$/,
  replay: async ({ result }, { client, second }) => {
    expect(result).toMatchObject({ missed: 0, duplicates: 0 });
    const written = 16 * 50;
    const prefix = `poll-${randomUUID()}`;
    const start = await client.appendToStream(`${prefix}-start`, numbered(0));
    let last = start.position;
    if (last === undefined) throw new Error('no position');
    const writers = Array.from({ length: 16 }, async (_, writer) => {
      for (let n = 0; n < 50; n += 1) await client.appendToStream(`${prefix}-${writer}`, numbered(n));
    });
    const seen: string[] = [];
    await until('all is read', async () => {
      const page = second.readAll({ maxCount: 200, ...(last && { fromPosition: last }) });
      for await (const { event } of page) {
        if (event?.position === undefined || event.position.commit === last?.commit) continue;
        last = event.position;
        if (event.streamId.startsWith(prefix)) seen.push(event.id);
      }
      return seen.length >= written;
    });
    await Promise.all(writers);
    expect({ seen: seen.length, distinct: new Set(seen).size }).toEqual({ seen: written, distinct: written });
  },
};

/** Repeats at `any` are known from a memory of limited size, at an exact revision for ever. */
const WINDOW: CaseFamily = {
  ids: /^(any|exact)-idempotency-window$/,
  replay: async ({ id, result }, world) => {
    const first = numbered(0);
    const stream = `w-${randomUUID()}`;
    await world.client.appendToStream(stream, first, { expectedRevision: 'no_stream' });
    const known = z.array(z.object({ otherEventsSince: z.number(), idempotent: z.boolean() }));
    const steps = id.startsWith('exact')
      ? [{ otherEventsSince: 70_000, idempotent: true }]
      : known.parse(result).filter(({ otherEventsSince }) => otherEventsSince <= 70_000);
    let others = 0;
    for (const { otherEventsSince, idempotent } of steps) {
      while (others < otherEventsSince) {
        await world.client.appendToStream(randomUUID().padEnd(50, '-'), batchOf(1_000));
        others += 1_000;
      }
      const expectedRevision = id.startsWith('exact') ? 'no_stream' : 'any';
      const again = await world.client.appendToStream(stream, first, { expectedRevision });
      expect(again.nextExpectedRevision === 0n).toBe(idempotent);
    }
  },
};

export const CONCURRENCY: readonly CaseFamily[] = [
  TWO_CLIENTS,
  PIPELINED,
  SAME_APPEND,
  PIPELINED_TWICE,
  DIFFERENT_APPENDS,
  READ_YOUR_WRITES,
  POLLING,
  WINDOW,
];
