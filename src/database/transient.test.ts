import { type TestDatabase, testDatabase } from '../../test/support/postgres.js';
import { EventStoreUnavailableError, InvalidEventError, OutcomeUnknownError } from '../event-store/errors.js';
import { isTimeout, isTransient } from './transient.js';

describe('Errors that may pass', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase();
  });
  afterAll(() => database.drop());

  /** What the driver throws when the server says so. */
  async function said(sqlState: string): Promise<unknown> {
    return database.pool.query(`do $$ begin raise exception using errcode = '${sqlState}'; end $$`).then(
      () => {
        throw new Error('nothing was thrown');
      },
      (error: unknown) => error,
    );
  }

  it.each([
    ['57014', 'query canceled', true, true],
    ['55P03', 'lock not available', true, true],
    ['25P03', 'idle in transaction too long', true, true],
    ['40001', 'serialization failure', true, false],
    ['40P01', 'deadlock', true, false],
    ['53100', 'disk full', true, false],
    ['53200', 'out of memory', true, false],
    ['53300', 'too many connections', true, false],
    ['08006', 'connection failure', true, false],
    ['25006', 'read-only transaction', true, false],
    ['57P01', 'administrator shutdown', true, false],
    ['58030', 'input or output error', true, false],
    ['22003', 'numeric value out of range', false, false],
    ['22021', 'character not in repertoire', false, false],
    ['23505', 'unique violation', false, false],
    ['42501', 'insufficient privilege', false, false],
    ['42P01', 'undefined table', false, false],
    ['54000', 'program limit exceeded', false, false],
  ])('PostgreSQL says %s (%s): may pass %s, is a time-out %s', async (sqlState, _, mayPass, timedOut) => {
    const error = await said(sqlState);
    expect([isTransient(error), isTimeout(error)]).toEqual([mayPass, timedOut]);
    const wrapped = new Error('what was asked failed', { cause: error });
    expect([isTransient(wrapped), isTimeout(wrapped)]).toEqual([mayPass, timedOut]);
  });

  it('a statement whose tables were changed under its plan may pass: another connection plans it anew', async () => {
    const client = await database.pool.connect();
    try {
      await client.query('create table changing (a int)');
      const statement = { name: 'changing', text: 'select * from changing', values: [] };
      await client.query(statement);
      await client.query('alter table changing add column b int');
      const error: unknown = await client.query(statement).catch((thrown: unknown) => thrown);
      expect(isTransient(error)).toBe(true);
    } finally {
      client.release(true);
    }
  });

  it.each<[string, unknown, boolean, boolean]>([
    ['no answer of the driver', new Error('Query read timeout'), true, true],
    ['no place in the pool', new Error('timeout exceeded when trying to connect'), true, true],
    ['a connection that ended', new Error('Connection terminated unexpectedly'), true, false],
    ['nobody who listens', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), true, false],
    ['no way to any address', new AggregateError([networkError('EHOSTUNREACH')]), true, false],
    ['a store that is away', new EventStoreUnavailableError('away'), true, false],
    [
      'a page that took too long',
      new EventStoreUnavailableError('late', {
        cause: new Error('no answer from the database within 6000 ms'),
      }),
      true,
      true,
    ],
    ['an append nobody knows of', new OutcomeUnknownError('lost'), true, false],
    [
      'an event that cannot be stored',
      new InvalidEventError('no', { cause: networkError('EPIPE') }),
      false,
      false,
    ],
    ['a fault of our own that talks of a connection', new TypeError('connection is undefined'), false, false],
    [
      'a file that is missing',
      Object.assign(new Error('open'), { code: 'ENOENT', syscall: 'open' }),
      false,
      false,
    ],
    ['no error at all', 'Query read timeout', false, false],
  ])('%s', (_, error, mayPass, timedOut) => {
    expect([isTransient(error), isTimeout(error)]).toEqual([mayPass, timedOut]);
  });
});

function networkError(code: string): Error {
  return Object.assign(new Error(code), { code, syscall: 'connect' });
}
