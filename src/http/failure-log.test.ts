import { mock } from 'node:test';
import { createLogger } from '../observability/logger.js';
import { FailureLog } from './failure-log.js';
import { type ProblemCode, ProblemError } from './problem.js';

const away = new ProblemError('event_store_unavailable', 'Nothing was acknowledged.');
const fault = new ProblemError('internal_error', 'It was logged.');

describe('The log of failures', () => {
  let lines: Record<string, unknown>[];
  let failures: FailureLog;
  let now: number;
  let isThere: boolean;
  let questions: number;
  /** Lets time pass, and what was asked meanwhile be answered. */
  const pass = async (ms: number): Promise<void> => {
    now += ms;
    mock.timers.tick(ms);
    await new Promise(setImmediate);
  };
  beforeEach(() => {
    mock.timers.enable({ apis: ['setTimeout'] });
    now = 0;
    lines = [];
    const logger = createLogger('info', { write: (line) => void lines.push(JSON.parse(line)) });
    const toProblem = (error: unknown) => (error instanceof ProblemError ? error : fault);
    const stores: Partial<Record<ProblemCode, string>> = {
      event_store_unavailable: 'database',
      database_unavailable: 'database',
    };
    failures = new FailureLog(logger, toProblem, stores, () => now);
    [isThere, questions] = [false, 0];
    failures.askWith('event_store_unavailable', async () => {
      questions += 1;
      if (!isThere) throw away;
    });
  });
  afterEach(() => {
    mock.timers.reset();
  });
  const told = () => lines.map(({ msg }) => msg);

  it('tells of a store that is away once when that begins and once when it answers again, whatever meets it', async () => {
    for (let n = 0; n < 770; n += 1) {
      failures.request(away, `r${n}`, away);
      failures.trouble('the projection had trouble', new ProblemError('database_unavailable', 'x'));
      await pass(100);
    }
    expect(told()).toEqual(['a store does not answer']);
    isThere = true;
    await pass(10_000);
    expect(told()).toEqual(['a store does not answer', 'the store answers again']);
    expect(lines[1]).toMatchObject({ level: 'info', store: 'database', times: 1_540, seconds: 77 });
    failures.request(away, 'later', away);
    expect(told()).toHaveLength(3);
  });

  it('does not take silence for the end of an outage: only an answer ends it', async () => {
    failures.request(away, 'r1', away);
    for (let n = 0; n < 100; n += 1) await pass(5_000);
    expect(told()).toEqual(['a store does not answer']);
    isThere = true;
    await pass(5_000);
    expect(lines[1]).toMatchObject({ msg: 'the store answers again', times: 1, seconds: 0 });
    const asked = questions;
    await pass(60_000);
    expect(questions).toBe(asked);
  });

  it('does not say that a store answers again while others of its answers fail', async () => {
    isThere = true;
    for (let n = 0; n < 100; n += 1) {
      failures.request(away, `r${n}`, away);
      await pass(1_000);
    }
    expect(told()).toEqual(['a store does not answer']);
  });

  it('tells of every other fault by itself, with its request', () => {
    failures.request(fault, 'r1', new Error('broken'));
    failures.request(fault, 'r2', new Error('broken'));
    failures.trouble('a deadline waits', new Error('broken'), { userId: 'u' });
    expect(told()).toEqual(['request failed', 'request failed', 'a deadline waits']);
    expect(lines[0]).toMatchObject({ requestId: 'r1', code: 'internal_error', level: 'error' });
    expect(lines[2]).toMatchObject({ userId: 'u', level: 'warn' });
  });

  it('leaves out refusals, and what is told where it is looked after', () => {
    failures.request(new ProblemError('invalid_request', 'x'), 'r1', null);
    failures.request(new ProblemError('log_replaced', 'x'), 'r2', null);
    failures.request(new ProblemError('clock_differs', 'x'), 'r3', null);
    expect(told()).toEqual([]);
  });
});
