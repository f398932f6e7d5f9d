import { EntitySchema } from 'typeorm';
import { idText, instant, keyOf, nullable, SCHEMA, text } from '../../database/columns.js';

/** A key of the API. `hash` is the SHA-256 of the key, in hexadecimal; the key itself is nowhere. */
export interface ApiKeyRow {
  readonly id: string;
  readonly hash: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly createdAt: Date;
  /** Written now and then, so it may lag by a minute. */
  readonly lastUsedAt: Date | null;
  readonly revokedAt: Date | null;
}

export const ApiKeyEntity = new EntitySchema<ApiKeyRow>({
  name: 'ApiKey',
  schema: SCHEMA,
  tableName: 'api_key',
  columns: {
    id: keyOf('api_key', idText()),
    hash: idText(),
    name: text(),
    scopes: { ...text(), array: true },
    createdAt: instant('created_at'),
    lastUsedAt: nullable(instant('last_used_at')),
    revokedAt: nullable(instant('revoked_at')),
  },
  uniques: [{ name: 'api_key_hash_key', columns: ['hash'] }],
});
