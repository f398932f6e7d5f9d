import { setTimeout as pause } from 'node:timers/promises';
import type { EventStore } from '../event-store/event-store.js';
import { loggedErasures } from '../pseudonyms/logged-erasures.js';
import type { LoggedErasure, PairsRepository } from '../pseudonyms/pairs.repository.js';
import type { Pseudonyms } from '../pseudonyms/pseudonyms.js';
import type { Origin } from './aggregate.js';
import { EraseUser, ReadmitUser } from './erasure.aggregate.js';
import type { Repositories } from './repositories.js';

export interface ErasuresOptions {
  readonly pseudonyms: Pseudonyms;
  readonly pairs: Pick<PairsRepository, 'since'>;
  readonly repositories: Pick<Repositories, 'erasures'>;
  readonly store: Pick<EventStore, 'readPage'>;
  /** Writer's clock, Unix milliseconds. */
  readonly now: () => number;
}

/** What came of an erasure. `pseudonym` is what stands for the user in the log, `null` where there was nobody. */
export interface Erasure {
  readonly outcome: 'erased' | 'was_erased';
  readonly pseudonym: string | null;
  /** RFC 3339. */
  readonly at: string;
}

/** The clocks of writer and database are apart by less than this; then an instance writes nothing. */
const LONGEST_WAIT_MS = 60_000;

/** Erases users, and takes them in again: first the log says so, then the pair goes or comes (DESIGN 4, "Pseudonyms"). */
export class Erasures {
  constructor(private readonly options: ErasuresOptions) {}

  /**
   * Erases a user; again, it does what is left to do. The pair is from before the erasure by both clocks, so that a restore
   * drops it, too.
   * @throws what log and database answer
   */
  async erase(userId: string, origin: Omit<Origin, 'causation'>): Promise<Erasure> {
    const { pseudonyms, pairs, repositories, store, now } = this.options;
    const user = pseudonyms.hashes.ofUser(userId);
    const since = await pairs.since(userId);
    if (since !== null) await pause(Math.min(LONGEST_WAIT_MS, Math.max(0, since - now() + 1)));
    const command = new EraseUser(user, { ...origin, causation: null });
    const { outcome } = await repositories.erasures.execute(command);
    const logged = await loggedErasures(store, repositories.erasures.streamPrefix);
    const erasedAt = logged.find(({ hash }) => hash === user)?.erasedAt ?? now();
    const pseudonym = await pseudonyms.erase(userId, erasedAt);
    return {
      outcome: outcome === 'applied' ? 'erased' : 'was_erased',
      pseudonym,
      at: new Date(erasedAt).toISOString(),
    };
  }

  /** Takes an erased user in again, with a new pseudonym: it; `null` where the user is not erased. */
  async readmit(userId: string, origin: Omit<Origin, 'causation'>): Promise<string | null> {
    const { pseudonyms, repositories, now } = this.options;
    const user = pseudonyms.hashes.ofUser(userId);
    const at = now();
    const { outcome } = await repositories.erasures.execute(
      new ReadmitUser(user, { ...origin, causation: null }),
    );
    if (outcome !== 'applied' && !(await this.#isErased(userId))) return null;
    return pseudonyms.readmit(userId, at);
  }

  /**
   * Erases once more whom a log that was restored from before knows nothing of any more. How many those were.
   * @param erasures as `loggedErasures` gave them of the log that was lost
   */
  async eraseAgain(erasures: readonly LoggedErasure[], origin: Omit<Origin, 'causation'>): Promise<number> {
    const { pseudonyms, repositories, store } = this.options;
    const { streamPrefix } = repositories.erasures;
    const known = new Map(
      (await loggedErasures(store, streamPrefix)).map(({ hash, erasedAt }) => [hash, erasedAt]),
    );
    const lost = erasures.filter(({ hash, erasedAt }) => (known.get(hash) ?? 0) < erasedAt);
    for (const { hash, readmittedAt } of lost) {
      const asked = { ...origin, causation: null };
      await repositories.erasures.execute(new EraseUser(hash, asked));
      if (readmittedAt !== null) await repositories.erasures.execute(new ReadmitUser(hash, asked));
    }
    await pseudonyms.follow(await loggedErasures(store, streamPrefix));
    return lost.length;
  }

  async #isErased(userId: string): Promise<boolean> {
    return (await this.options.pseudonyms.pairsOf([userId])).get(userId) === null;
  }
}
