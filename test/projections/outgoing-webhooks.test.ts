import { Webhook } from 'standardwebhooks';
import { z } from 'zod';
import { SealedSecrets } from '../../src/auth/sealed-secrets.js';
import { planCatalogSchema } from '../../src/events/catalog.events.js';
import { listDeadLetters, replayDeadLetter } from '../../src/reactions/dead-letters.js';
import type { EventTrigger } from '../../src/reactions/event-trigger.js';
import { HeldWorkError } from '../../src/reactions/reaction.js';
import { reactOnce } from '../../src/reactions/reaction-round.js';
import { Reactor } from '../../src/reactions/reactor.js';
import { EndpointRepository } from '../../src/reactions/webhooks/endpoint.repository.js';
import type { MessageType } from '../../src/reactions/webhooks/message-types.js';
import { MessageSender } from '../../src/reactions/webhooks/sender.js';
import { WebhooksReaction } from '../../src/reactions/webhooks/webhooks.reaction.js';
import { takeDue } from '../../src/reactions/work-store.js';
import { at, day } from '../support/policy-stories.js';
import { type Instance, ProjectedLog, type ToRecord } from '../support/projected-log.js';
import { publication, sightOf, twoPlans } from '../support/stories-to-record.js';
import { until } from '../support/until.js';
import { WebhookReceiver } from '../support/webhook-receiver.js';

const OPS = { actor: 'ops', reason: 'a test' };
function sight(name: string, second: number, more: Parameters<typeof sightOf>[2] = {}): ToRecord {
  const record = sightOf(name, second, { userId: name, ...more });
  const origin = record.origin && { ...record.origin, eventId: `evt_${name}_${second}` };
  return { ...record, origin };
}

describe('Outgoing webhooks', () => {
  let log: ProjectedLog;
  let live: Instance;
  let receiver: WebhookReceiver;
  let endpoints: EndpointRepository;
  let now: number;
  const reactors: Reactor[] = [];
  const gone: string[] = [];

  beforeAll(async () => {
    receiver = await WebhookReceiver.start();
  });
  afterAll(() => receiver.close());

  beforeEach(async () => {
    receiver.clear();
    now = at(day(1));
    log = await ProjectedLog.open();
    live = await log.start('live', { now: () => at(day(9)) });
    await live.reaches(await log.record(publication(twoPlans({ free: 'reports', plus: 'export' }), day(0))));
    const secrets = new SealedSecrets(['an admin key of at least 32 characters']);
    endpoints = new EndpointRepository({ pool: log.pool, secrets, now: () => now });
  });
  afterEach(async () => {
    for (const reactor of reactors.splice(0)) await reactor.stop();
    await log.close();
  });

  async function endpoint(id = 'whe_1', types: readonly MessageType[] = ['access.changed']): Promise<string> {
    const made = await endpoints.create({
      id,
      url: receiver.url,
      description: '',
      types,
      bulk: [],
      createdBy: 'test',
    });
    return made?.secret ?? '';
  }

  function reactionOf(retryAfterMs: readonly number[], trigger: EventTrigger): WebhooksReaction {
    const sender = new MessageSender({ addresses: 'any', endpoints, version: 'test' });
    const findJobs = async (_: unknown, ids: readonly string[]) =>
      new Map(trigger === 'import' ? ids.map((id) => [id, 'import' as const]) : []);
    return new WebhooksReaction({
      pool: log.pool,
      store: log.store,
      streamPrefix: 'tenure.',
      endpoints,
      sender,
      findJobs,
      source: '/tenure',
      retryAfterMs,
      onGone: ({ id }) => gone.push(id),
    });
  }

  /** Runs the reaction; comes back when it has begun. */
  async function run(
    retryAfterMs = Array.from({ length: 40 }, () => 2),
    trigger: EventTrigger = 'stripe',
  ): Promise<void> {
    const reactor = new Reactor({
      pool: log.pool,
      url: log.url,
      store: log.store,
      reactions: [reactionOf(retryAfterMs, trigger)],
      isLogKnown: () => true,
      metrics: { reactionWork: () => undefined, reactionWritten: () => undefined },
      onTrouble: () => undefined,
    });
    reactors.push(reactor);
    reactor.start();
    await until('it has begun', async () => {
      const { rows } = await log.pool.query('select from tenure.reaction_checkpoint');
      return rows.length > 0;
    });
  }

  const fold = async (...events: readonly ToRecord[]): Promise<void> =>
    live.reaches(await log.record(...events));

  const versionsOf = (user: string): readonly (number | undefined)[] =>
    receiver.taken.filter(({ said }) => said.subject === user).map(({ said }) => said.data.version);

  /** Waits until all that came is known to have come: what a stop cuts off before is sent again. */
  const nothingWaits = (): Promise<unknown> =>
    until('nothing waits', async () => {
      const { rows } = await log.pool.query(`select from tenure.reaction_work where state <> 'dead'`);
      return rows.length === 0;
    });

  it('come to a receiver that fails half the time in order for a user, signed, and after a rebuild not again', async () => {
    const failed = new Set<string>();
    receiver.answer = ({ id }) => {
      if (failed.has(id)) return 204;
      failed.add(id);
      return 500;
    };
    const secret = await endpoint();
    await run();
    const users = ['ann', 'bob', 'cyd'];
    for (let turn = 0; turn < 8; turn += 1) {
      const more = turn % 2 === 0 ? {} : { status: 'paused' };
      await fold(...users.map((user) => sight(user, day(2) + turn, more)));
    }
    await until('all have come', () => receiver.taken.length >= 24);
    for (const user of users) expect(versionsOf(user)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    for (const { text, headers, said } of receiver.taken) {
      expect(new Webhook(secret).verify(text, headers)).toMatchObject({ id: said.id });
      expect(headers['webhook-id']).toBe(said.id);
      expect(headers['content-type']).toContain('application/cloudevents+json');
      expect(() => new Webhook(secret).verify(`${text} `, headers)).toThrow();
    }
    await live.rebuilds.rebuild({ ...OPS, afterwards: 'swap' }, () => undefined);
    await fold(sight('dan', day(3)));
    await until('the next has come', () => versionsOf('dan').length === 1);
    expect(receiver.taken).toHaveLength(25);
  });

  it('let the next go when one was given up, which says so, and send that one again by its id when it is replayed', async () => {
    receiver.answer = ({ data }) => (data.version === 2 && data.replayed !== true ? 500 : 204);
    await endpoint();
    await run([1, 1]);
    await fold(
      sight('ann', day(2)),
      sight('ann', day(3), { status: 'paused' }),
      sight('ann', day(4)),
      sight('ann', day(5), { status: 'paused' }),
    );
    await until('those behind it have come', () => receiver.taken.length === 3);
    expect(versionsOf('ann')).toEqual([1, 3, 4]);
    const [dead, ...others] = await listDeadLetters(log.pool, { after: '0', limit: 10 });
    expect(others).toEqual([]);
    expect(dead).toMatchObject({
      reaction: 'webhooks',
      group: 'whe_1',
      attempts: 3,
      failure: 'answered 500',
    });
    const { id } = z.looseObject({ id: z.string() }).parse(dead?.payload);
    expect(receiver.taken.map(({ said }) => said.data.gapAfter ?? null)).toEqual([null, id, null]);
    expect(await replayDeadLetter(log.pool, dead?.id ?? '')).toBe(true);
    await until('it has come', () => receiver.taken.length === 4);
    expect(receiver.taken.at(-1)?.said).toMatchObject({ id, data: { version: 2, replayed: true } });
    await until(
      'none is left',
      async () => (await listDeadLetters(log.pool, { after: '0', limit: 10 })).length === 0,
    );
    expect(await replayDeadLetter(log.pool, dead?.id ?? '')).toBe(false);
  });

  it('tell once that a limit was reached or exceeded, by what was in use at each place of the log and not since', async () => {
    const catalog = planCatalogSchema.parse({
      default: 'free',
      plans: {
        free: { rank: 0, role: 'free', limits: { members: 2 } },
        plus: { rank: 1, role: 'paid', limits: { members: 5 }, prices: { m: 'plus_m' } },
      },
    });
    await fold(publication(catalog, day(1)));
    await endpoint('whe_1', ['limit.reached', 'limit.exceeded']);
    await run();
    const report = (userId: string, second: number, value: number): ToRecord => ({
      event: { type: 'UsageReported', data: { userId, limit: 'members', value, values: { members: value } } },
      origin: null,
      at: at(second),
    });
    const values = (userId: string, second: number, ...of: readonly number[]): readonly ToRecord[] =>
      of.map((value, i) => report(userId, second + i, value));
    // One page holds it all: each is told by what stood before it.
    await fold(
      ...values('zoe', day(2), 1, 2, 3), // who has no row
      sight('ann', day(2)),
      ...values('ann', day(2) + 1, 4, 5, 6, 7, 5, 6, 4),
      sight('ann', day(3), { status: 'paused' }),
      ...values('ann', day(3) + 1, 5, 1, 2),
      sight('ann', day(4)),
      sight('bob', day(5), { cancelAt: day(6) }),
      report('bob', day(5) + 1, 4),
      report('bob', day(7), 6),
      sight('bob', day(8), { cancelAt: null }),
      report('end', day(8) + 1, 9),
    );
    await until('the last has come', () => receiver.taken.some(({ said }) => said.subject === 'end'));
    await nothingWaits();
    const told = (user: string): readonly string[] =>
      receiver.taken
        .filter(({ said }) => said.subject === user)
        .map(({ said: { type, data } }) => `${type} ${data.limit?.used}/${data.limit?.allowed}`);
    expect(told('zoe')).toEqual(['limit.reached 2/2', 'limit.exceeded 3/2']);
    expect(told('ann')).toEqual([
      'limit.reached 5/5',
      'limit.exceeded 6/5',
      'limit.exceeded 6/5',
      'limit.exceeded 4/2',
      'limit.reached 2/2',
    ]);
    expect(told('bob')).toEqual(['limit.exceeded 4/2']);
    expect(receiver.taken.at(-1)?.said.data).toMatchObject({ limit: { key: 'members' } });
  });

  it('are signed by both secrets for 24 h after a rotation, and then by the new one alone', async () => {
    const before = await endpoint();
    await run();
    const after = (await endpoints.rotate('whe_1'))?.secret ?? '';
    await fold(sight('ann', day(2)));
    await until('one has come', () => receiver.taken.length === 1);
    now += 24 * 3_600_000;
    await fold(sight('bob', day(3)));
    await until('another has come', () => receiver.taken.length === 2);
    const by = (secret: string): readonly boolean[] =>
      receiver.taken.map(({ text, headers }) => {
        try {
          return new Webhook(secret).verify(text, headers) !== null;
        } catch {
          return false;
        }
      });
    expect(by(before)).toEqual([true, false]);
    expect(by(after)).toEqual([true, true]);
  });

  it('come no sooner than a busy receiver asks for', async () => {
    receiver.answer = () => 503;
    receiver.headers = { 'retry-after': '7200' };
    await endpoint();
    await run();
    await fold(sight('ann', day(2)));
    const { failure, seconds } = await until('a try has failed', async () => {
      const { rows } = await log.pool.query<{ failure: string; seconds: number }>(
        `select failure, extract(epoch from due_at - clock_timestamp())::float8 as seconds
         from tenure.reaction_work where attempts = 1`,
      );
      return rows[0];
    });
    expect(failure).toBe('answered 503');
    expect(seconds).toBeGreaterThan(7_000);
    expect(receiver.seen).toHaveLength(1);
  });

  it('wait where a receiver is gone for good: its endpoint is paused, and what waited comes when that goes on', async () => {
    receiver.answer = () => 410;
    await endpoint();
    await run();
    await fold(sight('ann', day(2)));
    await until('it is paused', async () => (await endpoints.find('whe_1'))?.state === 'paused');
    await until('that is told', () => gone.length > 0);
    expect(gone).toEqual(['whe_1']);
    expect(receiver.taken).toEqual([]);
    receiver.answer = () => 204;
    await endpoints.change('whe_1', { state: 'active' });
    await until('it has come', () => receiver.taken.length === 1);
  });

  it('are not sent to an endpoint that was paused since they were taken to be sent', async () => {
    await endpoint();
    await run();
    for (const reactor of reactors.splice(0)) await reactor.stop();
    const reaction = reactionOf([], 'stripe');
    await fold(sight('ann', day(2)));
    await reactOnce({ pool: log.pool, store: log.store }, reaction);
    const [work] = await takeDue(log.pool, 'webhooks', { underWay: [], held: [], perGroup: 1, inAll: 1 });
    if (work === undefined) throw new Error('nothing is due');
    const { signal } = new AbortController();
    await endpoints.change('whe_1', { state: 'paused' });
    await expect(reaction.perform(work, signal)).rejects.toThrow(HeldWorkError);
    expect(receiver.seen).toEqual([]);
    await endpoints.change('whe_1', { state: 'active' });
    await reaction.perform(work, signal);
    expect(versionsOf('ann')).toEqual([1]);
  });

  it('begin for a new endpoint with what comes then, wait for one that is paused, and of an import come not at all', async () => {
    await endpoint();
    await run();
    await endpoints.change('whe_1', { state: 'paused' });
    await fold(sight('ann', day(2)));
    now = at(day(3));
    await endpoint('whe_2');
    await fold(sight('bob', day(4)));
    await until('the new one has its', () => receiver.taken.length === 1);
    expect(receiver.taken[0]?.said.subject).toBe('bob');
    await endpoints.change('whe_1', { state: 'active' });
    await until('what waited has come', () => receiver.taken.length === 3);
    expect(
      receiver.taken
        .slice(1)
        .map(({ said }) => said.subject)
        .sort(),
    ).toEqual(['ann', 'bob']);
    await nothingWaits();
    for (const reactor of reactors.splice(0)) await reactor.stop();
    await run([1], 'import');
    await fold(sight('eve', day(5)));
    await until('it was passed', async () => {
      const { rows } = await log.pool.query<{ position: string }>(
        'select position::text from tenure.reaction_checkpoint',
      );
      return rows[0]?.position === '4';
    });
    expect(receiver.taken).toHaveLength(3);
  });
});
