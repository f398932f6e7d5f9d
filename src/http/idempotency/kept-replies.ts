import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { z } from 'zod';
import { Reply } from '../reply.js';

/** Requests under way are said to be so this often, in milliseconds: well within the minute after which they count as gone. */
const RENEW_EVERY_MS = 10_000;
const DROP_EVERY_MS = 600_000;
/** Rows dropped by one statement. */
const DROPPED_AT_ONCE = 10_000;
/** A row that vanished between two looks is claimed again; more often than this it does not in earnest. */
const LOOKS = 5;

/** A request that is to be done by who holds this. */
export interface Claim {
  readonly id: string;
  readonly token: string;
}

/** What became of a request that was seen before, or that it is new (`claimed`). */
export type Found =
  | { readonly outcome: 'claimed'; readonly claim: Claim }
  | { readonly outcome: 'reused' }
  | { readonly outcome: 'in_use' }
  | { readonly outcome: 'kept'; readonly reply: Reply };

const rowSchema = z.object({
  fingerprint: z.string(),
  status: z.number().nullable(),
  headers: z.record(z.string(), z.string()).nullable(),
  body: z.string().nullable(),
});

/** What is still to be written of a request; `null` while it is under way. */
type Ending = Reply | 'release' | null;

/**
 * Replies to requests that may be repeated, in PostgreSQL for 24 h, by whichever instance (DESIGN 10, "Said twice, done
 * once"). Times are of the database's clock.
 */
export class KeptReplies {
  readonly #claims = new Map<string, { readonly claim: Claim; ending: Ending }>();
  readonly #timers: readonly NodeJS.Timeout[];

  /** `onTrouble` hears why something is written later. */
  constructor(
    private readonly pool: Pool,
    private readonly onTrouble: (error: unknown) => void,
  ) {
    this.#timers = [
      setInterval(() => void this.renew(), RENEW_EVERY_MS).unref(),
      setInterval(() => void this.dropOld(), DROP_EVERY_MS).unref(),
    ];
  }

  /**
   * Takes a request, unless it was taken within 24 h. `id` tells it and `fingerprint` its bytes, both digests. One whose
   * instance has said nothing for a minute is taken over.
   */
  async claim(id: string, fingerprint: string): Promise<Found> {
    for (let look = 0; look < LOOKS; look += 1) {
      const token = randomUUID();
      const taken = await this.pool.query({
        name: 'tenure-claim-request',
        text: `insert into tenure.idempotency_key as k (id, fingerprint, token, begun_at, renewed_at)
          values ($1, $2, $3, now(), now())
          on conflict (id) do update set fingerprint = excluded.fingerprint, token = excluded.token,
            begun_at = excluded.begun_at, renewed_at = excluded.renewed_at, status = null, headers = null, body = null
          where k.begun_at <= now() - interval '24 hours' and (k.status is not null or k.renewed_at <= now() - interval '60 seconds')
            or k.status is null and k.renewed_at <= now() - interval '60 seconds' and k.fingerprint = excluded.fingerprint`,
        values: [id, fingerprint, token],
      });
      if (taken.rowCount === 1) {
        const claim = { id, token };
        this.#claims.set(token, { claim, ending: null });
        return { outcome: 'claimed', claim };
      }
      const found = await this.#look(id, fingerprint);
      if (found !== null) return found;
    }
    return { outcome: 'in_use' };
  }

  /** Keeps the reply to a claimed request: behind the reply, until it is written, where the database does not answer. */
  async keep({ token }: Claim, reply: Reply): Promise<void> {
    await this.#end(token, reply);
  }

  /** Lets go of a claimed request whose reply is not kept: a repeat does it again. */
  async release({ token }: Claim): Promise<void> {
    await this.#end(token, 'release');
  }

  /** Says that what is under way here still is, and writes what could not be written. */
  async renew(): Promise<void> {
    const open = [...this.#claims.values()];
    for (const { claim, ending } of open) if (ending !== null) await this.#end(claim.token, ending);
    const running = open.filter(({ ending }) => ending === null).map(({ claim }) => claim.token);
    if (running.length === 0) return;
    await this.pool
      .query(
        'update tenure.idempotency_key set renewed_at = now() where token = any($1) and status is null',
        [running],
      )
      .catch(this.onTrouble);
  }

  /** Drops replies that are older than 24 h, and what was never answered. */
  async dropOld(): Promise<void> {
    await this.pool
      .query(
        `delete from tenure.idempotency_key where id in (
          select id from tenure.idempotency_key where begun_at <= now() - interval '24 hours'
            and (status is not null or renewed_at <= now() - interval '60 seconds') limit $1)`,
        [DROPPED_AT_ONCE],
      )
      .catch(this.onTrouble);
  }

  /** Called by Nest as the application stops. */
  async onModuleDestroy(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    for (const { claim, ending } of [...this.#claims.values()]) {
      if (ending !== null) await this.#end(claim.token, ending);
    }
  }

  async #look(id: string, fingerprint: string): Promise<Found | null> {
    const { rows } = await this.pool.query({
      name: 'tenure-find-reply',
      text: 'select fingerprint, status, headers, body from tenure.idempotency_key where id = $1',
      values: [id],
    });
    const row = rowSchema.optional().parse(rows[0]);
    if (row === undefined) return null;
    if (row.fingerprint !== fingerprint) return { outcome: 'reused' };
    if (row.status === null) return { outcome: 'in_use' };
    return { outcome: 'kept', reply: new Reply(row.status, row.headers ?? {}, row.body) };
  }

  async #end(token: string, ending: Exclude<Ending, null>): Promise<void> {
    const known = this.#claims.get(token);
    if (known === undefined) return;
    known.ending = ending;
    try {
      if (ending === 'release') {
        await this.pool.query('delete from tenure.idempotency_key where id = $1 and token = $2', [
          known.claim.id,
          token,
        ]);
      } else await this.#write(known.claim, ending);
      this.#claims.delete(token);
    } catch (error) {
      this.onTrouble(error);
    }
  }

  async #write({ id, token }: Claim, { status, headers, body }: Reply): Promise<void> {
    await this.pool.query({
      name: 'tenure-keep-reply',
      text: 'update tenure.idempotency_key set status = $3, headers = $4, body = $5 where id = $1 and token = $2',
      values: [id, token, status, JSON.stringify(headers), body],
    });
  }
}
