import type { Pool } from 'pg';
import { AUDIT_KEY_SECRETS } from '../audit/tree/audit-key.repository.js';
import { type SealedColumn, sealAnew } from '../auth/seal-anew.js';
import type { SealedSecrets } from '../auth/sealed-secrets.js';
import { purposeOfReply } from '../http/idempotency/request-key.js';
import type { Logger } from '../observability/logger.js';
import { purposeOfPseudonymKey } from '../pseudonyms/keyed-hashes.js';
import { ENDPOINT_SECRETS } from '../reactions/webhooks/endpoint.repository.js';
import { TOKEN_KEY_SECRETS } from '../tokens/token-key.repository.js';

/** Every column of the database in which secrets are kept sealed. */
export const SEALED_COLUMNS: readonly SealedColumn[] = [
  ...ENDPOINT_SECRETS,
  ...TOKEN_KEY_SECRETS,
  ...AUDIT_KEY_SECRETS,
  { table: 'tenure.pseudonym_key', key: 'id', column: 'secret', purposeOf: purposeOfPseudonymKey },
  { table: 'tenure.idempotency_key', key: 'id', column: 'body', purposeOf: purposeOfReply },
];

/** Seals what another admin key than the first sealed anew by the first, and says so. */
export async function sealKeptSecretsAnew(pool: Pool, secrets: SealedSecrets, logger: Logger): Promise<void> {
  const { sealed, unreadable } = await sealAnew(pool, secrets, SEALED_COLUMNS);
  if (sealed > 0) logger.info({ sealed }, 'secrets are sealed anew by the first TENURE_ADMIN_KEY');
  if (unreadable > 0) logger.warn({ unreadable }, 'secrets were sealed by no TENURE_ADMIN_KEY of now');
}
