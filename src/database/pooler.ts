import pg from 'pg';
import { z } from 'zod';
import { clientConfig, DeadlineClient, SESSION } from './deadlines.js';
import { TransactionPoolerError } from './errors.js';

/** What is asked of a session here: which process of the server serves it, and that a transaction begins and ends. */
export interface ProbedSession {
  query(text: string): Promise<{ readonly rows: readonly unknown[] }>;
  end(): Promise<void>;
}

/** A pooler that hands its servers round in turn gives a session another one now and then. */
const TRIES = 3;

const backendRow = z.tuple([z.object({ pid: z.number() })]);

/**
 * Refuses a pooler that does not keep a server's process for a session, such as PgBouncer in transaction or statement mode:
 * behind it settings, advisory locks and LISTEN are another session's the next moment. A second session is opened beside
 * `session`; where they have one process between them, or one of them has two, there is such a pooler.
 * @throws TransactionPoolerError and what the driver throws
 */
export async function refuseTransactionPooler(
  session: Pick<ProbedSession, 'query'>,
  open: () => Promise<ProbedSession>,
): Promise<void> {
  const other = await open();
  try {
    const probes = [new Probe(session), new Probe(other)] as const;
    for (let tries = 0; tries < TRIES; tries += 1) await compare(...probes);
  } catch (error) {
    if (error instanceof pg.DatabaseError && /pooling mode/.test(error.message)) {
      throw new TransactionPoolerError({ cause: error }); // what PgBouncer says in statement mode
    }
    throw error;
  } finally {
    await other.end();
  }
}

/** A session, and the one process of the server that it may have. */
class Probe {
  #process: number | null = null;

  constructor(readonly session: Pick<ProbedSession, 'query'>) {}

  /** Asks which process serves it now. @throws TransactionPoolerError when it was another one before */
  async ask(): Promise<number> {
    const { rows } = await this.session.query('select pg_backend_pid() as pid');
    const [{ pid }] = backendRow.parse(rows);
    this.#process ??= pid;
    if (this.#process !== pid) throw new TransactionPoolerError();
    return pid;
  }
}

async function compare(one: Probe, other: Probe): Promise<void> {
  const process = await one.ask();
  await other.session.query('begin'); // a process that was free to take is taken now
  if ((await other.ask()) === process) throw new TransactionPoolerError();
  await one.ask();
  await other.session.query('commit');
  await other.ask();
}

/** Opens a session for a short question. @throws what the driver throws */
export async function openSession(url: string): Promise<ProbedSession> {
  const client = new DeadlineClient(clientConfig(url, 'tenure-check', SESSION));
  client.on('error', () => undefined); // told by the query that meets it
  await client.connect();
  return client;
}
