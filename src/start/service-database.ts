import type { MigrationInterface } from 'typeorm';
import { ApiKeyEntity } from '../auth/keys/api-key.entity.js';
import { keyMigrations } from '../auth/keys/migrations.js';
import {
  type Database,
  type DatabaseOptions,
  openDatabase,
  openMigratedDatabase,
  pendingMigrations,
} from '../database/database.js';
import { NotMigratedError } from '../database/errors.js';
import { refuseTransactionPooler } from '../database/pooler.js';
import { CreateLogIdentity1763800000200 } from '../event-store/log-identity.js';
import { eventStoreMigrations } from '../event-store/postgres/migrations.js';
import { eventStorePoolConfig } from '../event-store/postgres/pg-session.js';
import { projectionEntities } from '../projections/read-models/entities/entities.js';
import { projectionMigrations } from '../projections/read-models/migrations/migrations.js';
import { DeliveryHeartbeatEntity } from '../webhooks/delivery-heartbeat.entity.js';
import { webhookMigrations } from '../webhooks/migrations.js';

interface ServiceDatabaseOptions {
  readonly url: string;
  /** `null`: the log is in the database. */
  readonly eventStoreUrl: string | null;
  readonly onIdleFault: (error: Error) => void;
}

/**
 * The database of a service with every table it needs, which the service and its commands open alike. The tables of the
 * log are made only where the log is in the database.
 */
export function openServiceDatabase(options: ServiceDatabaseOptions): Promise<Database> {
  return openDatabase({ ...partsOf(options), migrations: [...serviceMigrations(options.eventStoreUrl)] });
}

/**
 * The same for whoever only reads: makes and changes no table.
 * @throws NotMigratedError, TransactionPoolerError and what the database answers
 */
export async function openMigratedServiceDatabase(options: ServiceDatabaseOptions): Promise<Database> {
  await refuseTransactionPooler(options.url);
  const database = await openMigratedDatabase(partsOf(options));
  try {
    const pending = await pendingMigrations(database.pool, serviceMigrations(options.eventStoreUrl));
    if (pending > 0) throw new NotMigratedError(pending);
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** Every migration of a service, of all parts that keep tables. */
export function serviceMigrations(eventStoreUrl: string | null): readonly (new () => MigrationInterface)[] {
  return [
    ...(eventStoreUrl === null ? eventStoreMigrations : []),
    ...projectionMigrations,
    ...keyMigrations,
    ...webhookMigrations,
    CreateLogIdentity1763800000200,
  ];
}

function partsOf({ url, onIdleFault }: ServiceDatabaseOptions): Omit<DatabaseOptions, 'migrations'> {
  const entities = [...projectionEntities, ApiKeyEntity, DeliveryHeartbeatEntity];
  return { url, entities, poolConfig: eventStorePoolConfig, onIdleFault };
}
