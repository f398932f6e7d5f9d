import { z } from 'zod';
import { clientConfig, DeadlineClient, prepare, SESSION } from '../../database/deadlines.js';

/** Channel that notifies other instances when a checkpoint, or the pointer to the live generation, moved. */
export const PROJECTION_CHANNEL = 'tenure_projection';
/**
 * What a session may lead: the fold of the live generation, those of rebuilds, or reactions. Classes of the advisory lock,
 * "tnre", "tnrb" and "tnrx"; its other key is the hash of the projection's name.
 */
const LOCK_CLASSES = { live: 0x746e7265, rebuild: 0x746e7262, reactions: 0x746e7278 };
export type LeadOf = keyof typeof LOCK_CLASSES;

/** Interval of the session's heartbeat, and how long the server keeps a session without one, in milliseconds. */
const HEARTBEAT_MS = 2_000;
const SILENT_SESSION_MS = 10_000;

const locked = z.tuple([z.object({ locked: z.boolean() })]);

/**
 * One session of its own (never of a pool, never through a transaction pooler): it listens, and it may hold the
 * leader's advisory lock. PostgreSQL lets go of the lock the moment the session is gone, and ends one that was idle
 * for ten seconds: so a leader that is cut off by a silent network, or frozen, is replaced in seconds.
 */
export class LeaderElection {
  #lost = false;
  #heartbeat: NodeJS.Timeout | null = null;

  private constructor(
    private readonly client: DeadlineClient,
    private readonly lock: readonly [number, number],
  ) {}

  /**
   * Connects and listens. `onNotification` is called at each notification, `onLost` once when the session is gone that nobody
   * closed, with what the driver said of it. Throws what the driver throws; nothing stays open then.
   */
  static async open(
    url: string,
    { projection, lead }: { readonly projection: string; readonly lead: LeadOf },
    hooks: { onNotification(): void; onLost(why: Error): void },
  ): Promise<LeaderElection> {
    const name = `tenure ${projection} ${lead === 'live' ? 'projection' : lead}`;
    const client = new DeadlineClient(clientConfig(url, name, SESSION));
    const election = new LeaderElection(client, [LOCK_CLASSES[lead], keyOf(projection)]);
    const lose = (why: Error): void => {
      if (election.#lost) return;
      election.#lost = true;
      election.#fallSilent();
      hooks.onLost(why);
    };
    client.on('error', lose);
    client.on('end', () => lose(new Error('Connection terminated unexpectedly')));
    client.on('notification', hooks.onNotification);
    try {
      await client.connect();
      await prepare(client, SESSION, { idle_session_timeout: String(SILENT_SESSION_MS) });
      await client.query(`listen ${PROJECTION_CHANNEL}`);
    } catch (error) {
      election.#lost = true;
      client.end().catch(() => undefined); // the caller gets the first fault; a session that never was has no other
      throw error;
    }
    election.#heartbeat = setInterval(() => election.#beat(), HEARTBEAT_MS);
    return election;
  }

  get isLost(): boolean {
    return this.#lost;
  }

  /** Whether this session is the leader from now on. PostgreSQL counts: each yes asks for one `release`. */
  async tryToLead(): Promise<boolean> {
    const asked = await this.client.query('select pg_try_advisory_lock($1, $2) as locked', [...this.lock]);
    return locked.parse(asked.rows)[0].locked;
  }

  /** Asks whether the session still is, and with it the lead that it has. Throws what the driver throws where it is not. */
  async confirm(): Promise<void> {
    await this.client.query('select 1');
  }

  /** Lets another instance lead. */
  async release(): Promise<void> {
    await this.client.query('select pg_advisory_unlock($1, $2)', [...this.lock]);
  }

  /** Notifies other instances that there is something new to read. */
  async notify(): Promise<void> {
    await this.client.query(`notify ${PROJECTION_CHANNEL}`);
  }

  /** Ends the session, and with it the lead. */
  async close(): Promise<void> {
    this.#lost = true;
    this.#fallSilent();
    await this.client.end();
  }

  /** Gives the session up at once, without closing it: whatever waits on it fails. */
  cut(why: Error): void {
    this.#lost = true;
    this.#fallSilent();
    this.client.cut(why);
  }

  /** A session that does not answer in time is lost. One that waits for an answer already is seen by that statement's deadline. */
  #beat(): void {
    if (this.client.awaitedAnswer !== null) return;
    this.client.query('select 1').catch((error: Error) => this.client.cut(error));
  }

  #fallSilent(): void {
    if (this.#heartbeat !== null) clearInterval(this.#heartbeat);
  }
}

function keyOf(projection: string): number {
  let key = 0;
  for (const char of projection) key = (key * 31 + (char.codePointAt(0) ?? 0)) | 0;
  return key;
}
