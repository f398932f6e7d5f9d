import pg from 'pg';
import { z } from 'zod';

/** Channel on which other instances are told that a checkpoint, or the pointer to the live generation, moved. */
export const PROJECTION_CHANNEL = 'tenure_projection';
/**
 * What a session may lead: the fold that is read, or the folds beside it. Classes of the advisory lock, "tnre" and "tnrb";
 * its other key is the hash of the projection's name.
 */
const LOCK_CLASSES = { live: 0x746e7265, beside: 0x746e7262 };
export type LeadOf = keyof typeof LOCK_CLASSES;

const locked = z.tuple([z.object({ locked: z.boolean() })]);

/**
 * One session of its own (never of a pool, never through a transaction pooler): it listens, and it may hold the
 * leader's advisory lock. PostgreSQL lets go of the lock the moment the session is gone.
 */
export class LeaderSession {
  #lost = false;

  private constructor(
    private readonly client: pg.Client,
    private readonly lock: readonly [number, number],
  ) {}

  /**
   * Connects and listens. `onSign` is called at each notification, `onLost` once when the session is gone. Throws what
   * the driver throws; nothing stays open then.
   */
  static async open(
    url: string,
    { projection, lead }: { readonly projection: string; readonly lead: LeadOf },
    hooks: { onSign(): void; onLost(): void },
  ): Promise<LeaderSession> {
    const client = new pg.Client({
      connectionString: url,
      application_name: lead === 'live' ? `tenure ${projection} projection` : `tenure ${projection} beside`,
      keepAlive: true,
      connectionTimeoutMillis: 5_000,
    });
    const session = new LeaderSession(client, [LOCK_CLASSES[lead], keyOf(projection)]);
    const lose = (): void => {
      if (session.#lost) return;
      session.#lost = true;
      hooks.onLost();
    };
    client.on('error', lose);
    client.on('end', lose);
    client.on('notification', hooks.onSign);
    try {
      await client.connect();
      await client.query(`listen ${PROJECTION_CHANNEL}`);
    } catch (error) {
      session.#lost = true;
      client.end().catch(() => undefined); // the caller gets the first fault; a session that never was has no other
      throw error;
    }
    return session;
  }

  get isLost(): boolean {
    return this.#lost;
  }

  /** Whether this session is the leader from now on. PostgreSQL counts: each yes asks for one `resign`. */
  async tryToLead(): Promise<boolean> {
    const asked = await this.client.query('select pg_try_advisory_lock($1, $2) as locked', [...this.lock]);
    return locked.parse(asked.rows)[0].locked;
  }

  /** Lets another instance lead. */
  async resign(): Promise<void> {
    await this.client.query('select pg_advisory_unlock($1, $2)', [...this.lock]);
  }

  /** Tells other instances that there is something new to read. */
  async notify(): Promise<void> {
    await this.client.query(`notify ${PROJECTION_CHANNEL}`);
  }

  /** Ends the session, and with it the lead. */
  async close(): Promise<void> {
    this.#lost = true;
    await this.client.end();
  }
}

function keyOf(projection: string): number {
  let key = 0;
  for (const char of projection) key = (key * 31 + (char.codePointAt(0) ?? 0)) | 0;
  return key;
}
