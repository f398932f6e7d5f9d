import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { EventStoreDBClient } from '@eventstore/db-client';
import { until } from '../support/until.js';
import { follow } from './eventstoredb-behaviour/follower.js';
import { along, eventsOf, numbered, World } from './eventstoredb-behaviour/world.js';

describe('the EventStoreDB test server, told to fail', () => {
  let world: World;
  beforeEach(async () => {
    world = await World.open();
  });
  afterEach(async () => {
    await world.close();
  });

  const append = (n = 0, stream = 's', options: object = {}) =>
    world.client.appendToStream(stream, numbered(n), { ...along('unary'), ...options });

  const appends = () =>
    append().then(
      () => true,
      () => false,
    );

  it('refuses every call as unavailable, stores nothing, and accepts again', async () => {
    world.server.faults.refusing = true;
    await expect(append()).rejects.toMatchObject({ type: 'unavailable', code: 14 });
    await expect(eventsOf(world.client, 's')).rejects.toMatchObject({ type: 'unavailable' });
    world.server.faults.refusing = false;
    expect(await world.lengthOf('s')).toBe(0);
    expect(await append()).toMatchObject({ success: true });
  });

  it('answers late what it stored in time', async () => {
    world.server.faults.delayAnswersMs = 1_000_000;
    // On a busy machine the time may be over before the server has heard of it.
    await until('one is stored', async () => {
      await expect(append(0, 's', { deadline: 200 })).rejects.toMatchObject({ type: 'deadline-exceeded' });
      return (await world.lengthOf('s')) > 0;
    });
    expect(await world.lengthOf('s')).toBe(1);
  });

  it('starts late, and then not on what the client gave up', async () => {
    world.server.faults.delayRequestsMs = 400;
    await expect(append(0, 'given-up', { deadline: 100 })).rejects.toMatchObject({
      type: 'deadline-exceeded',
    });
    expect(await append(0, 'waited-for')).toMatchObject({ success: true });
    expect(await world.lengthOf('given-up')).toBe(0);
  });

  it('answers nothing while it is frozen and everything once it is thawed', async () => {
    await append();
    world.server.freeze();
    const pending = append(1, 'pending');
    await expect(append(2, 's', { deadline: 200 })).rejects.toMatchObject({ type: 'deadline-exceeded' });
    world.server.thaw();
    expect(await pending).toMatchObject({ success: true });
  });

  it.each([
    ['before storing', 0],
    ['after storing', 1],
  ] as const)('cuts the connection of an append %s', async (moment, stored) => {
    world.server.faults.cutAppends(1, moment, 1);
    await expect(append()).rejects.toMatchObject({ code: 14 });
    await until('the client is back', () => world.lengthOf('s').then((length) => length === stored));
    expect(await append(1, 'other')).toMatchObject({ success: true });
  });

  it('cuts every third append', async () => {
    world.server.faults.cutAppends(3, 'after storing');
    const outcomes = [];
    for (let n = 0; n < 9; n += 1) outcomes.push(await appends());
    world.server.faults.stopCutting();
    expect(outcomes).toEqual([true, true, false, true, true, false, true, true, false]);
    expect(await world.lengthOf('s')).toBe(9);
  });

  it('keeps its log over a restart on the same port', async () => {
    const { position } = await append();
    const { url } = world.server;
    await world.restart();
    expect(world.server.url).toBe(url);
    expect((await eventsOf(world.client, 's'))[0]?.position).toEqual(position);
  });

  it('ends subscriptions without an error', async () => {
    const follower = follow(world.client.subscribeToAll());
    await follower.saw('caughtUp');
    world.server.subscriptions.end();
    await follower.saw('end');
    expect(follower.dropped).toBe(false);
    expect(world.server.subscriptions.count).toBe(0);
  });

  it('lets subscriptions fall silent, and serves new ones', async () => {
    const silent = follow(world.client.subscribeToAll());
    await silent.saw('caughtUp');
    world.server.subscriptions.silence();
    await append(1);
    const fresh = follow(world.client.subscribeToAll());
    await fresh.saw('E1');
    expect(silent.log).not.toContain('E1');
    expect(silent.dropped).toBe(false);
    await Promise.all([silent.subscription.unsubscribe(), fresh.subscription.unsubscribe()]);
  });

  it('denies a client without the credentials it wants', async () => {
    world.server.faults.credentials = { username: 'admin', password: 'changeit' };
    await expect(append()).rejects.toMatchObject({ type: 'access-denied' });
    await expect(eventsOf(world.client, 's')).rejects.toMatchObject({ type: 'access-denied' });
  });

  it('sends who wants the leader to another node', async () => {
    const leader = await World.open();
    world.server.faults.leaderElsewhere = { address: '127.0.0.1', port: leader.server.port };
    await expect(append(0, 's', { requiresLeader: true })).rejects.toMatchObject({ type: 'not-leader' });
    expect(await append(0, 's', { requiresLeader: true })).toMatchObject({ success: true });
    expect(await leader.lengthOf('s')).toBe(1);
    await leader.close();
  });

  it('is found by gossip, the leader first', async () => {
    const node = { address: '127.0.0.1', port: world.server.port } as const;
    world.server.members = [
      { address: '127.0.0.1', port: 1, state: 'follower', alive: true },
      { ...node, state: 'leader', alive: true },
    ];
    const client = world.connectTo(`esdb+discover://127.0.0.1:${node.port}?tls=false`);
    expect(await client.appendToStream('s', numbered(0))).toMatchObject({ success: true });
  });

  it('runs as a process of its own and obeys what it is told', async () => {
    const process_ = spawn(
      process.execPath,
      [
        '--no-warnings',
        '--import',
        './test/support/register-typescript.mjs',
        'test/support/eventstoredb/main.ts',
      ],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    const lines = createInterface({ input: process_.stdout })[Symbol.asyncIterator]();
    const client = EventStoreDBClient.connectionString(String((await lines.next()).value));
    const tell = async (command: string) => {
      process_.stdin.write(`${command}\n`);
      expect((await lines.next()).value).toBe(command);
    };
    await tell('cut-appends-after-storing 1');
    await expect(client.appendToStream('s', numbered(0), along('unary'))).rejects.toMatchObject({ code: 14 });
    await tell('stop-cutting');
    await until('the append is read', () => eventsOf(client, 's').then(({ length }) => length === 1));
    await client.dispose();
    process_.kill('SIGTERM');
    expect(await once(process_, 'exit')).toEqual([0, null]);
  });
});
