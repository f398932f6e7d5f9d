import { ApiKeyEntity } from '../auth/keys/api-key.entity.js';
import {
  type Database,
  type DatabaseOptions,
  openDatabase,
  openMigratedDatabase,
} from '../database/database.js';
import { eventStorePoolConfig } from '../event-store/postgres/pg-session.js';
import { projectionEntities } from '../projections/read-models/entities/entities.js';
import { DeliveryHeartbeatEntity } from '../webhooks/delivery-heartbeat.entity.js';
import {
  openMigratedServicePool,
  type ServiceDatabaseOptions,
  serviceMigrations,
} from './service-migrations.js';

/**
 * The database of a service with every table it needs, which the service and its commands open alike. The tables of the
 * log are made only where the log is in the database.
 */
export function openServiceDatabase(options: ServiceDatabaseOptions): Promise<Database> {
  return openDatabase({ ...partsOf(options), migrations: [...serviceMigrations(options.eventStoreUrl)] });
}

/**
 * The same for whoever only reads, where it takes TypeORM: see `openMigratedServicePool`.
 * @throws NotMigratedError, TransactionPoolerError and what the database answers
 */
export async function openMigratedServiceDatabase(options: ServiceDatabaseOptions): Promise<Database> {
  await (await openMigratedServicePool(options)).end();
  return openMigratedDatabase(partsOf(options));
}

function partsOf({ url, onIdleFault }: ServiceDatabaseOptions): Omit<DatabaseOptions, 'migrations'> {
  const entities = [...projectionEntities, ApiKeyEntity, DeliveryHeartbeatEntity];
  return { url, entities, poolConfig: eventStorePoolConfig, onIdleFault };
}
