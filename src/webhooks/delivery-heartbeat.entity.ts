import { EntitySchema } from 'typeorm';
import { instant, int, keyOf, SCHEMA } from '../database/columns.js';

/** When Stripe last delivered something, to any instance. There is one row, or none before the first delivery. */
export interface DeliveryHeartbeatRow {
  readonly id: number;
  readonly receivedAt: Date;
}

export const DeliveryHeartbeatEntity = new EntitySchema<DeliveryHeartbeatRow>({
  name: 'WebhookContact',
  schema: SCHEMA,
  tableName: 'webhook_contact',
  columns: { id: keyOf('webhook_contact', int()), receivedAt: instant('received_at') },
  checks: [{ name: 'webhook_contact_id_check', expression: 'id = 1' }],
});
