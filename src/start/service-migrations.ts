import type { Pool } from 'pg';
import type { MigrationInterface } from 'typeorm';
import { auditTreeMigrations } from '../audit/tree/migrations.js';
import { keyMigrations } from '../auth/keys/migrations.js';
import { NotMigratedError } from '../database/errors.js';
import { pendingMigrations } from '../database/pending-migrations.js';
import { openSession, refuseTransactionPooler } from '../database/pooler.js';
import { openPool } from '../database/pools.js';
import { CreateLogIdentity1763800000200 } from '../event-store/log-identity.js';
import { eventStoreMigrations } from '../event-store/postgres/migrations.js';
import { eventStorePoolConfig } from '../event-store/postgres/pg-session.js';
import { idempotencyMigrations } from '../http/idempotency/migrations.js';
import { projectionMigrations } from '../projections/read-models/migrations/migrations.js';
import { pseudonymMigrations } from '../pseudonyms/migrations.js';
import { mailMigrations } from '../reactions/mail/migrations.js';
import { reactionMigrations } from '../reactions/migrations.js';
import { outgoingWebhookMigrations } from '../reactions/webhooks/migrations.js';
import { priceMigrations } from '../stripe/prices/migrations.js';
import { importMigrations } from '../stripe/reconciliation/import/migrations.js';
import { reconciliationMigrations } from '../stripe/reconciliation/reconcile/migrations.js';
import { tokenMigrations } from '../tokens/migrations.js';
import { webhookMigrations } from '../webhooks/migrations.js';

export interface ServiceDatabaseOptions {
  readonly url: string;
  /** `null`: the log is in the database. */
  readonly eventStoreUrl: string | null;
  readonly onIdleFault: (error: Error) => void;
}

/** Connections of a command that reads. */
const POOL_SIZE = 4;

/** Every migration of a service, of all parts that keep tables. */
export function serviceMigrations(eventStoreUrl: string | null): readonly (new () => MigrationInterface)[] {
  return [
    ...(eventStoreUrl === null ? eventStoreMigrations : []),
    ...projectionMigrations,
    ...keyMigrations,
    ...idempotencyMigrations,
    ...webhookMigrations,
    ...priceMigrations,
    ...importMigrations,
    ...reconciliationMigrations,
    ...reactionMigrations,
    ...outgoingWebhookMigrations,
    ...mailMigrations,
    ...tokenMigrations,
    ...auditTreeMigrations,
    ...pseudonymMigrations,
    CreateLogIdentity1763800000200,
  ];
}

/**
 * Opens the database of a service for whoever only reads: makes and changes no table, and does without TypeORM, which takes
 * longer to load than such a command to run.
 * @throws NotMigratedError, TransactionPoolerError and what the database answers
 */
export async function openMigratedServicePool({
  url,
  eventStoreUrl,
  onIdleFault,
}: ServiceDatabaseOptions): Promise<Pool> {
  const session = await openSession(url);
  await refuseTransactionPooler(session, () => openSession(url)).finally(() => session.end());
  const pool = openPool(eventStorePoolConfig(url, POOL_SIZE), onIdleFault);
  try {
    const pending = await pendingMigrations(pool, serviceMigrations(eventStoreUrl));
    if (pending > 0) throw new NotMigratedError(pending);
    return pool;
  } catch (error) {
    await pool.end();
    throw error;
  }
}
