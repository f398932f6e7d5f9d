import { EntitySchema } from 'typeorm';
import { bigint, idText, int, keyOf, SCHEMA } from '../../../database/columns.js';

/** How much of a limited thing a user has in use, as it was reported last. */
export interface UsageRow {
  readonly generation: number;
  readonly userId: string;
  readonly key: string;
  readonly value: string;
}

export const UsageEntity = new EntitySchema<UsageRow>({
  name: 'Usage',
  schema: SCHEMA,
  tableName: 'usage',
  columns: {
    generation: keyOf('usage', int()),
    userId: keyOf('usage', idText('user_id')),
    key: keyOf('usage', idText()),
    value: bigint(),
  },
});
