import { EntitySchema } from 'typeorm';
import { idText, instant, int, keyOf, nullable, SCHEMA, text } from '../../../database/columns.js';

/** A grant with its facts, and what it names of the catalogue (both JSON). */
export interface GrantRow {
  readonly generation: number;
  readonly grantId: string;
  readonly userId: string;
  readonly names: string;
  readonly endsAt: Date | null;
  readonly revoked: boolean;
  readonly facts: string;
}

export const GrantEntity = new EntitySchema<GrantRow>({
  name: 'Grant',
  schema: SCHEMA,
  tableName: 'grant',
  columns: {
    generation: keyOf('grant', int()),
    grantId: keyOf('grant', idText('grant_id')),
    userId: idText('user_id'),
    names: text(),
    endsAt: nullable(instant('ends_at')),
    revoked: { type: 'boolean' },
    facts: text(),
  },
  indices: [{ name: 'grant_user_idx', columns: ['generation', 'userId'] }],
});

/** What was set last of a user's key, as a feature or as a limit, with its facts (JSON). */
export interface OverrideRow {
  readonly generation: number;
  readonly userId: string;
  readonly kind: 'feature' | 'limit';
  readonly key: string;
  readonly endsAt: Date | null;
  readonly removed: boolean;
  readonly facts: string;
}

export const OverrideEntity = new EntitySchema<OverrideRow>({
  name: 'Override',
  schema: SCHEMA,
  tableName: 'override',
  columns: {
    generation: keyOf('override', int()),
    userId: keyOf('override', idText('user_id')),
    kind: keyOf('override', idText()),
    key: keyOf('override', idText()),
    endsAt: nullable(instant('ends_at')),
    removed: { type: 'boolean' },
    facts: text(),
  },
});

/** What users have by hand, by generation. */
export const BY_HAND_ENTITIES = [GrantEntity, OverrideEntity];
