import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { EventStoreDbServer } from '../../support/eventstoredb/server.js';
import { until } from '../../support/until.js';
import type { CaseFamily } from './cases.js';
import { follow } from './follower.js';
import { attempt, attemptAppend } from './observe.js';
import { along, eventsOf, numbered, type Path, World } from './world.js';

const pathOf = (id: string): Path => (id.includes('unary') ? 'unary' : 'batch');

/** What tells errors apart: messages carry ports and the state a socket was in. */
const kindOf = z
  .object({ class: z.string(), type: z.string().optional(), code: z.number().optional() })
  .transform(({ class: name, type, code }) => ({ class: name, type, code }));
const failure = z.object({ err: kindOf }).transform(({ err }) => err);

/** The client warns of a keep-alive as short as it was measured with. */
function quietly<T>(make: () => T): T {
  const { warn } = console;
  console.warn = () => undefined;
  try {
    return make();
  } finally {
    console.warn = warn;
  }
}

async function apart(work: (world: World) => Promise<void>): Promise<void> {
  const world = await World.open();
  try {
    await work(world);
  } finally {
    await world.close();
  }
}

const append = (client: World['client'], path: Path, n = 0, stream = `c-${randomUUID()}`) =>
  client.appendToStream(stream, numbered(n), along(path));

const readOne = (client: World['client']) => attempt(eventsOf(client, 'any'));

/** The server dies with appends in flight, stays away for a while and comes back; the client is the same. */
const IN_FLIGHT: CaseFamily = {
  ids: /^crash-inflight-/,
  replay: ({ id, result }) =>
    apart(async ({ client, server }) => {
      const path = pathOf(id);
      const recorded = z
        .object({
          inflight: z.array(failure),
          'append-while-down': failure,
          'append-while-down-2nd': failure,
          'read-while-down': kindOf,
        })
        .parse(result);
      await append(client, path);
      server.freeze();
      const inFlight = Promise.all([attempt(append(client, path)), attempt(append(client, path))]);
      await server.stop();
      expect({
        inflight: z.array(kindOf).parse(await inFlight),
        'append-while-down': kindOf.parse(await attempt(append(client, path))),
        'append-while-down-2nd': kindOf.parse(await attempt(append(client, path))),
        'read-while-down': kindOf.parse(await readOne(client)),
      }).toEqual(recorded);
      await server.start();
      await until('the same client appends again', () =>
        append(client, path).then(
          () => true,
          () => false,
        ),
      );
    }),
};

/** The server is frozen; only a keep-alive (or, on the unary path, a deadline) ends what is asked of it. */
const FROZEN: CaseFamily = {
  ids: /^crash-frozen-ka-2s-2s-/,
  replay: ({ id, result }) =>
    apart(async (world) => {
      const path = pathOf(id);
      const recorded = z
        .object({
          'append-to-frozen-server': failure,
          'append-with-deadline-1500': failure,
          'read-from-frozen-server': z.object({ r: kindOf }).transform(({ r }) => r),
          subscription: z.array(failure),
        })
        .parse(result);
      const client = quietly(() =>
        world.connect({ options: '&keepAliveInterval=2000&keepAliveTimeout=2000' }),
      );
      await append(client, path);
      const follower = follow(client.subscribeToAll({ fromPosition: 'end' }));
      await follower.saw('caughtUp');
      world.server.freeze();
      const stream = `c-${randomUUID()}`;
      const patient = attempt(append(client, path));
      const hasty = attempt(client.appendToStream(stream, numbered(0), { deadline: 1_500, ...along(path) }));
      const read = readOne(client);
      await follower.ended();
      const dropped = z.object({ error: kindOf }).parse(follower.log.at(-1));
      expect({
        'append-to-frozen-server': kindOf.parse(await patient),
        'append-with-deadline-1500': kindOf.parse(await hasty),
        'read-from-frozen-server': kindOf.parse(await read),
        subscription: [dropped.error],
      }).toEqual(recorded);
      world.server.thaw();
      await until('the same client appends again', () =>
        append(client, path).then(
          () => true,
          () => false,
        ),
      );
    }),
};

/** Live subscriptions end with the server and do not come back by themselves. */
const SUBSCRIPTIONS: CaseFamily = {
  ids: /^crash-sub-SIGKILL$/,
  replay: ({ result }) =>
    apart(async (world) => {
      const { client, server } = world;
      const kill = z.object({ log: z.array(z.unknown()) }).transform(({ log }) => kindOf.parse(log.at(-2)));
      const recorded = z.object({ 'sub-all': kill, 'sub-stream': kill, 'sub-filtered': kill }).parse(result);
      const stream = await world.stream(1);
      const followers = [
        follow(client.subscribeToAll()),
        follow(client.subscribeToStream(stream)),
        follow(
          client.subscribeToAll({
            filter: { filterOn: 'eventType', prefixes: ['E'], checkpointInterval: 1 },
          }),
        ),
      ];
      for (const follower of followers) await follower.saw('caughtUp');
      await server.stop();
      for (const follower of followers) await follower.ended();
      const errors = followers.map(({ log }) => z.object({ error: kindOf }).parse(log.at(-1)).error);
      expect(errors).toEqual(Object.values(recorded));
      await server.start();
      await until('the same client appends again', () =>
        append(client, 'unary', 1, stream).then(
          () => true,
          () => false,
        ),
      );
      const again = follow(client.subscribeToStream(stream));
      await again.saw('E1');
      expect(followers.filter(({ log }) => log.includes('E1'))).toEqual([]);
      expect(followers.filter(({ subscription }) => subscription.destroyed)).toEqual([]);
      await again.subscription.unsubscribe();
    }),
};

/** Nothing that was acknowledged is lost when the server dies under load. */
const UNDER_LOAD: CaseFamily = {
  ids: /^crash-load-(batch|unary)-SIGKILL$/,
  replay: ({ id, result }) =>
    apart(async ({ client, server }) => {
      const { load } = z
        .object({ load: z.object({ ackedButMissingAfterRestart: z.number(), hang: z.number() }) })
        .parse(result);
      const acknowledged: string[] = [];
      let working = true;
      const stream = `load-${randomUUID()}`;
      const workers = Array.from({ length: 16 }, async (_, worker) => {
        for (let n = 0; working; n += 1) {
          const own = `${stream}-${worker}-${n}`;
          const outcome = await attemptAppend(append(client, pathOf(id), n, own));
          if (z.object({ success: z.literal(true) }).safeParse(outcome).success) acknowledged.push(own);
        }
      });
      await until('there is load', () => acknowledged.length > 100);
      await server.stop();
      const before = acknowledged.length;
      await server.start();
      await until('there is load again', () => acknowledged.length > before + 100);
      working = false;
      await Promise.all(workers);
      let missing = 0;
      for (const own of acknowledged) if ((await eventsOf(client, own)).length === 0) missing += 1;
      expect({ ackedButMissingAfterRestart: missing, hang: 0 }).toEqual(load);
    }),
};

/** A client that did nothing while the server was away notices nothing. */
const IDLE: CaseFamily = {
  ids: /^idle-over-restart-.*-SIGKILL$/,
  replay: ({ id, result }) =>
    apart(async ({ client, second, server }) => {
      await append(client, pathOf(id));
      // Clients of one address share their connection: once this one has lost it, so has the idle one.
      const witness = follow(second.subscribeToAll());
      await witness.saw('caughtUp');
      await server.stop();
      await witness.ended();
      await server.start();
      const outcome = await attemptAppend(append(client, pathOf(id)));
      expect(result).toMatchObject({ r: 'ok' });
      expect(outcome).toEqual({ success: true, next: '0n' });
    }),
};

/** No server on the port. */
const NEVER_UP: CaseFamily = {
  ids: /^crash-never-up$/,
  replay: ({ result }) =>
    apart(async (world) => {
      const recorded = z
        .object({ 'append-batch': failure, 'append-unary': failure, read: kindOf, subscribe: kindOf })
        .parse(result);
      const gone = await EventStoreDbServer.start();
      await gone.stop();
      const client = world.connectTo(gone.url);
      const follower = follow(client.subscribeToAll());
      await follower.ended();
      expect({
        'append-batch': kindOf.parse(await attempt(append(client, 'batch'))),
        'append-unary': kindOf.parse(await attempt(append(client, 'unary'))),
        read: kindOf.parse(await readOne(client)),
        subscribe: z.object({ error: kindOf }).parse(follower.log.at(-1)).error,
      }).toEqual(recorded);
    }),
};

export const CRASHES: readonly CaseFamily[] = [IN_FLIGHT, FROZEN, SUBSCRIPTIONS, UNDER_LOAD, IDLE, NEVER_UP];
