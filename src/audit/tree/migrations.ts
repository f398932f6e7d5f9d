import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The Merkle tree of the log, its tiles, and the keys that sign its checkpoints; outside generations. A tile only ever grows
 * behind what it holds, and the database refuses any other change.
 */
class CreateAuditTree1764910000000 implements MigrationInterface {
  readonly name = 'CreateAuditTree1764910000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table tenure.audit_tree (
        tree int primary key,
        origin text not null,
        began_at timestamptz(3) not null,
        frozen_at timestamptz(3),
        checkpoint text,
        checkpoint_size bigint not null default 0,
        signed_at timestamptz(3)
      )`);
    await runner.query(`
      create table tenure.audit_progress (
        tree int primary key,
        size bigint not null,
        position bigint
      )`);
    // Level -1 holds ids and hashes of events, and the position of the first of them; the others what C2SP tlog-tiles has there.
    await runner.query(`
      create table tenure.audit_tile (
        tree int not null,
        level smallint not null,
        index bigint not null,
        hashes bytea not null,
        position bigint,
        primary key (tree, level, index)
      )`);
    await runner.query('alter table tenure.audit_tile alter column hashes set storage external');
    await runner.query(`
      create function tenure.audit_tile_grows() returns trigger language plpgsql as $$
      begin
        if substr(new.hashes, 1, octet_length(old.hashes)) <> old.hashes then
          raise exception 'a tile of the audit tree may only grow';
        end if;
        return new;
      end $$`);
    await runner.query(`
      create trigger audit_tile_grows before update on tenure.audit_tile
      for each row execute function tenure.audit_tile_grows()`);
    await runner.query(`
      create table tenure.audit_key (
        id text collate "C" primary key,
        public_key text not null,
        private_key text not null,
        created_at timestamptz(3) not null,
        retired_at timestamptz(3)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['audit_key', 'audit_tile', 'audit_progress', 'audit_tree']) {
      await runner.query(`drop table tenure.${table}`);
    }
    await runner.query('drop function tenure.audit_tile_grows');
  }
}

/** Migrations of the audit tree, oldest first. */
export const auditTreeMigrations = [CreateAuditTree1764910000000];
