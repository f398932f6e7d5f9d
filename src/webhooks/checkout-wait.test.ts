import { mock } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { ProjectionStatus } from '../projections/engine/projection.js';
import { CheckoutWait } from './checkout-wait.js';

const level: ProjectionStatus = {
  projection: 'entitlements',
  generation: 1,
  state: 'leading',
  handled: '1',
  scanned: '1',
  head: '1',
  lagEvents: 0,
  lagSeconds: 0,
  fault: null,
  outOfTouch: false,
  otherLeads: false,
  setAside: { streams: 0, users: 0 },
  batches: 1,
  eventsApplied: 1,
  faults: 0,
};

/** A read model that shows what it is told, and counts how often it is asked. */
function readModel() {
  const active = new Set<string>();
  const model = { asked: [] as (readonly string[])[], down: false, status: level };
  const changes = new Set<() => void>();
  const engine = {
    status: () => model.status,
    nextChange: (ms: number) =>
      new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        changes.add(() => {
          clearTimeout(timer);
          resolve();
        });
      }),
  };
  const ops = {
    knownSales: async (sessions: readonly string[]): Promise<ReadonlySet<string>> =>
      new Set(sessions.filter((each) => active.has(each))),
    activeSubscriptions: async (subscriptions: readonly string[]): Promise<ReadonlySet<string>> => {
      model.asked.push(subscriptions);
      if (model.down) throw new Error('down');
      return new Set(subscriptions.filter((each) => active.has(each)));
    },
  };
  const show = (subscription: string): void => {
    active.add(subscription);
    for (const change of changes) change();
  };
  return { model, show, wait: new CheckoutWait(engine, ops) };
}

/** Lets so many milliseconds pass, one after the other, and all that follows from each happen. */
async function pass(ms: number): Promise<void> {
  await turn();
  for (let passed = 0; passed < ms; passed += 1) {
    mock.timers.tick(1);
    await turn();
  }
}

describe('The reply to a paid checkout', () => {
  beforeEach(() => {
    mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'] });
  });
  afterEach(() => {
    mock.timers.reset();
  });

  it('waits until the subscription is shown active', async () => {
    const { show, wait } = readModel();
    const outcome = wait.until({ subscription: 'sub_1', sale: null, position: '1' });
    await pass(1_000);
    show('sub_1');
    await pass(0);
    await expect(outcome).resolves.toBe('seen');
  });

  it('waits until its own event is folded, however long its subscription is shown', async () => {
    const { model, show, wait } = readModel();
    const outcome = wait.until({ subscription: 'sub_1', sale: null, position: '2' });
    let ended = '';
    void outcome.then((how) => {
      ended = how;
    });
    show('sub_1');
    await pass(200);
    expect(ended).toBe('');
    model.status = { ...level, handled: '2' };
    await pass(60);
    await expect(outcome).resolves.toBe('seen');
  });

  it('waits until it is known what a session sold once', async () => {
    const { show, wait } = readModel();
    const outcome = wait.until({ subscription: null, sale: 'cs_1', position: '1' });
    let ended = '';
    void outcome.then((how) => {
      ended = how;
    });
    await pass(500);
    expect(ended).toBe('');
    show('cs_1');
    await pass(60);
    await expect(outcome).resolves.toBe('seen');
  });

  it('goes out after two seconds in any case', async () => {
    const { wait } = readModel();
    let ended = '';
    void wait.until({ subscription: 'sub_1', sale: null, position: '1' }).then((outcome) => {
      ended = outcome;
    });
    await pass(1_999);
    expect(ended).toBe('');
    await pass(1);
    expect(ended).toBe('timed_out');
  });

  it('asks one question for all who wait, and lets no more than 200 wait', async () => {
    const { model, wait } = readModel();
    const outcomes = Array.from({ length: 201 }, (_, n) =>
      wait.until({ subscription: `sub_${n}`, sale: null, position: '1' }),
    );
    await expect(outcomes[200]).resolves.toBe('not_waited');
    await pass(60);
    expect(model.asked.length).toBeLessThanOrEqual(3);
    expect(model.asked.at(-1)).toHaveLength(200);
    await pass(2_000);
    await expect(Promise.all(outcomes.slice(0, 200))).resolves.toEqual(Array(200).fill('timed_out'));
    await expect(
      Promise.race([
        wait.until({ subscription: 'sub_x', sale: null, position: '1' }),
        Promise.resolve('waits'),
      ]),
    ).resolves.toBe('waits');
    await pass(2_000);
  });

  it.each([
    ['stopped', { ...level, state: 'stopped' }],
    ['at a fault', { ...level, state: 'faulted' }],
    ['two seconds behind', { ...level, lagSeconds: 2 }],
  ] as const)('does not wait for a projection that is %s', async (_, status) => {
    const { model, wait } = readModel();
    model.status = status;
    await expect(wait.until({ subscription: 'sub_1', sale: null, position: '1' })).resolves.toBe(
      'not_waited',
    );
  });

  it('stops waiting when the projection stops', async () => {
    const { model, wait } = readModel();
    const outcome = wait.until({ subscription: 'sub_1', sale: null, position: '1' });
    await pass(100);
    model.status = { ...level, state: 'faulted' };
    await pass(60);
    await expect(outcome).resolves.toBe('timed_out');
  });

  it('is not turned into a fault by a database that is away', async () => {
    const { model, wait } = readModel();
    model.down = true;
    const outcome = wait.until({ subscription: 'sub_1', sale: null, position: '1' });
    await pass(2_000);
    await expect(outcome).resolves.toBe('timed_out');
  });
});
