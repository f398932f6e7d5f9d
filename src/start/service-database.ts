import { ApiKeyEntity } from '../auth/keys/api-key.entity.js';
import { keyMigrations } from '../auth/keys/migrations.js';
import { type Database, openDatabase } from '../database/database.js';
import { CreateLogIdentity1763800000200 } from '../event-store/log-identity.js';
import { eventStoreMigrations } from '../event-store/postgres/migrations.js';
import { eventStorePoolConfig } from '../event-store/postgres/pg-session.js';
import { projectionEntities } from '../projections/read-models/entities/entities.js';
import { projectionMigrations } from '../projections/read-models/migrations/migrations.js';
import { DeliveryHeartbeatEntity } from '../webhooks/delivery-heartbeat.entity.js';
import { webhookMigrations } from '../webhooks/migrations.js';

/**
 * The database of a service with every table it needs, which the service and its commands open alike. The tables of the
 * log are made only where the log is in the database (`eventStoreUrl` is `null`).
 */
export function openServiceDatabase(options: {
  readonly url: string;
  readonly eventStoreUrl: string | null;
  readonly onIdleFault: (error: Error) => void;
}): Promise<Database> {
  const { url, eventStoreUrl, onIdleFault } = options;
  return openDatabase({
    url,
    migrations: [
      ...(eventStoreUrl === null ? eventStoreMigrations : []),
      ...projectionMigrations,
      ...keyMigrations,
      ...webhookMigrations,
      CreateLogIdentity1763800000200,
    ],
    entities: [...projectionEntities, ApiKeyEntity, DeliveryHeartbeatEntity],
    poolConfig: eventStorePoolConfig,
    onIdleFault,
  });
}
