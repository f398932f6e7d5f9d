import type { Pool } from 'pg';
import { z } from 'zod';
import type { EventStore } from '../event-store/event-store.js';
import type { KeptUserIds } from '../events/user-id.js';
import { PseudonymsFixedError, PseudonymsMissingError } from './errors.js';
import { hasPseudonymKey, makePseudonymKey, openKeyedHashes, type Sealing } from './keyed-hashes.js';
import { loggedErasures, userIdsOfLog } from './logged-erasures.js';
import { PairsRepository } from './pairs.repository.js';
import { Pseudonyms } from './pseudonyms.js';

export interface OpenPseudonymsOptions {
  readonly pool: Pool;
  readonly store: Pick<EventStore, 'readPage'>;
  readonly streamPrefix: string;
  readonly sealing: Sealing;
  readonly userIdPattern: RegExp | null;
  /** Hears that a user id holds what looks like an address of an e-mail. */
  readonly onAddress?: () => void;
}

/**
 * Opens the pseudonyms of a service, as the setting `USER_ID_PSEUDONYMS` says, before anything is served: `null` where user ids are kept as they are. Pairs of users whom
 * the log says to be erased since are dropped, as after the restore of an old backup.
 * @throws PseudonymsFixedError where the log was begun otherwise, PseudonymsMissingError where the database lacks what the
 * log was written with, PseudonymKeyUnreadableError, and what log and database answer
 */
export async function openPseudonyms(
  setting: KeptUserIds,
  options: OpenPseudonymsOptions,
): Promise<Pseudonyms | null> {
  const { pool, store, streamPrefix, sealing } = options;
  const log = await userIdsOfLog(store, streamPrefix);
  if (log !== null && log !== setting) throw new PseudonymsFixedError(log);
  if (setting === 'as_they_are') return null;
  if (!(await hasPseudonymKey(pool))) {
    if (log === 'pseudonyms') throw new PseudonymsMissingError();
    await makePseudonymKey(pool, sealing);
  }
  if (log === 'pseudonyms' && (await areAllLost(pool))) throw new PseudonymsMissingError();
  const pseudonyms = await openKnown(options);
  await pseudonyms.follow(await loggedErasures(store, streamPrefix));
  return pseudonyms;
}

/** Those of a database that has the key: for commands, beside a service that has looked at the log. */
export async function openKnown({
  pool,
  sealing,
  userIdPattern,
  onAddress,
}: Omit<OpenPseudonymsOptions, 'store' | 'streamPrefix'>): Promise<Pseudonyms> {
  const hashes = await openKeyedHashes(pool, sealing);
  return new Pseudonyms({
    pairs: new PairsRepository(pool),
    hashes,
    userIdPattern,
    ...(onAddress === undefined ? {} : { onAddress }),
  });
}

/** Whether there are users in the read models and not one pair. */
async function areAllLost(pool: Pool): Promise<boolean> {
  const { rows } = await pool.query(
    `select exists (select from tenure.user_role) and not exists (select from tenure.pseudonym) as "areLost"`,
  );
  return z.tuple([z.object({ areLost: z.boolean() })]).parse(rows)[0].areLost;
}
