import type { Pool } from 'pg';
import { loadAdminKeys, loadUserIds } from '../config/part-settings.js';
import type { KeptUserIds } from '../events/user-id.js';
import { ProblemError } from '../http/problem.js';
import { UserErasedError } from '../pseudonyms/errors.js';
import { openKnown } from '../pseudonyms/open-pseudonyms.js';
import { isErasedMark } from '../pseudonyms/pseudonym.js';
import type { Pseudonyms } from '../pseudonyms/pseudonyms.js';
import { StripeIds } from '../pseudonyms/stripe-ids.js';
import type { Terminal } from './terminal.js';

/** Whether the settings say that user ids are kept as pseudonyms. */
export function keepsPseudonyms({ environment }: Pick<Terminal, 'environment'>): boolean {
  return environment.USER_ID_PSEUDONYMS === 'true';
}

/** How the settings say that user ids are kept. @throws InvalidSettingsError */
export function keptIn({ environment }: Pick<Terminal, 'environment'>): KeptUserIds {
  return loadUserIds(environment).ownUserIds.kept;
}

/** The pseudonyms of the database at `pool`. @throws InvalidSettingsError, PseudonymKeyUnreadableError */
export async function pseudonymsAt(
  { environment }: Pick<Terminal, 'environment'>,
  pool: Pool,
): Promise<Pseudonyms> {
  const { SealedSecrets } = await import('../auth/sealed-secrets.js');
  const sealing = new SealedSecrets(loadAdminKeys(environment));
  return openKnown({ pool, sealing, userIdPattern: loadUserIds(environment).ownUserIds.pattern });
}

/** What exchanges user ids on their way to and from Stripe; `null` where they are the same inside. */
export async function stripeIdsAt(terminal: Terminal, pool: Pool): Promise<StripeIds | null> {
  if (!keepsPseudonyms(terminal)) return null;
  const { PairsRepository } = await import('../pseudonyms/pairs.repository.js');
  const pairs = new PairsRepository(pool);
  return new StripeIds({
    pseudonyms: await pseudonymsAt(terminal, pool),
    userIdKey: loadUserIds(terminal.environment).userIds.userIdMetadataKey,
    onErasedClaims: (objects) =>
      void pairs
        .noteErasedClaims(objects)
        .catch((error: unknown) =>
          terminal.err(`tenure: a claim for an erased user is not listed: ${error}\n`),
        ),
  });
}

/** What stands for user ids inside. @throws ProblemError `invalid_user_id`, UserErasedError */
export async function storedAt(
  terminal: Terminal,
  pool: Pool,
  userIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const pseudonyms = await pseudonymsAt(terminal, pool);
  if (!userIds.every((userId) => pseudonyms.isUserId(userId))) {
    throw new ProblemError('invalid_user_id', 'It is no user id, or does not match USER_ID_PATTERN.');
  }
  const stored = await pseudonyms.storedOf(userIds);
  if ([...stored.values()].some(isErasedMark)) throw new UserErasedError();
  return stored;
}
