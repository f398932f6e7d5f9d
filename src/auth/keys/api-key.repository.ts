import { type DataSource, IsNull } from 'typeorm';
import type { Scope } from '../../http/scopes.js';
import { ApiKeyEntity, type ApiKeyRow } from './api-key.entity.js';
import { mintKey } from './api-key.js';

/** A key as ops see it: everything but what proves it. */
export type KeyListing = Omit<ApiKeyRow, 'hash'>;

/** Makes, lists and revokes keys. What it writes holds on every instance within a second. */
export class ApiKeyRepository {
  constructor(private readonly source: DataSource) {}

  /** Makes a key; `key` is told this once and cannot be found again. */
  async create(
    name: string,
    scopes: ReadonlySet<Scope>,
  ): Promise<{ readonly key: string; readonly listing: KeyListing }> {
    const { id, key, hash } = mintKey();
    const listing: KeyListing = {
      id,
      name,
      scopes: [...scopes].sort(),
      createdAt: new Date(),
      lastUsedAt: null,
      revokedAt: null,
    };
    await this.source.getRepository(ApiKeyEntity).insert({ ...listing, hash, scopes: [...listing.scopes] });
    return { key, listing };
  }

  /** All keys that ever were, oldest first. */
  async list(): Promise<readonly KeyListing[]> {
    const rows = await this.source
      .getRepository(ApiKeyEntity)
      .find({ order: { createdAt: 'ASC', id: 'ASC' } });
    return rows.map(({ hash, ...listing }) => listing);
  }

  /** Takes a key back for ever. */
  async revoke(id: string): Promise<'revoked' | 'revoked_before' | 'unknown'> {
    const keys = this.source.getRepository(ApiKeyEntity);
    const { affected } = await keys.update({ id, revokedAt: IsNull() }, { revokedAt: new Date() });
    if (affected === 1) return 'revoked';
    return (await keys.existsBy({ id })) ? 'revoked_before' : 'unknown';
  }
}
