import { GENERATION_TABLES } from '../projections/read-models/partitions.js';

/** A table of which a backup keeps rows, and their order in the file. */
export interface KeptTable {
  /** Name of the table in the schema `tenure`. */
  readonly table: string;
  readonly order: string;
  /** Which of its rows; left out: all. */
  readonly where?: string;
}

/**
 * What is not in the log and no fold makes again. Rows are written in this order: generations before what belongs to one.
 */
export const KEPT_TABLES: readonly KeptTable[] = [
  { table: 'api_key', order: 'id' },
  { table: 'token_key', order: 'kid' },
  { table: 'audit_key', order: 'id' },
  // Whose the pseudonyms of the log are, and the key by which erased users are known.
  { table: 'pseudonym_key', order: 'id' },
  { table: 'pseudonym', order: 'pseudonym' },
  { table: 'erased_user', order: 'hash' },
  { table: 'erased_claim', order: 'object' },
  { table: 'audit_tree', order: 'tree' },
  { table: 'revocation_offset', order: 'user_id' },
  { table: 'revocation_feed', order: 'cursor' },
  { table: 'revocation_feed_head', order: 'id' },
  // The count of swaps and the numbers of generations, which are never used twice.
  { table: 'live_generation', order: 'id' },
  { table: 'projection_generation', order: 'generation' },
  // What was served before each swap and is not served by the fold of now.
  { table: 'generation_swap', order: 'swap' },
  { table: 'swap_user', order: 'swap, user_id' },
  { table: 'swap_history', order: 'swap, user_id, seq' },
  // What was served at any moment, by whichever generation.
  { table: 'served_entitlement', order: 'ordinal' },
  { table: 'served_mark', order: 'ordinal' },
  { table: 'webhook_endpoint', order: 'id' },
  { table: 'mailed_invoice', order: 'invoice' },
  // What is still to be done, by ids that stay: what was done after the backup may be done once more.
  { table: 'reaction_work', order: 'seq' },
  // Tiles of logs that were replaced; those of the log are made of it again.
  {
    table: 'audit_tile',
    order: 'tree, level, index',
    where: 'tree in (select tree from tenure.audit_tree where frozen_at is not null)',
  },
  // Histories of generations whose log was replaced: nothing folds them again.
  {
    table: 'entitlement_history',
    order: 'generation, user_id, seq',
    where: `generation in (select generation from tenure.projection_generation where state = 'replaced')`,
  },
];

/** What a fold of the log makes, row by row. */
export const FOLDED_TABLES: readonly string[] = GENERATION_TABLES;

/** What neither the log nor a backup holds, and why nobody misses it. */
export const DISPOSABLE_TABLES: Readonly<Record<string, string>> = {
  'public.tenure_migrations': 'the migrations write it as they run',
  'tenure.projection_checkpoint': 'says how far a fold came: the fold of the restored log writes its own',
  'tenure.rebuild_order':
    'orders for builds, which a restored database does not have; generation_swap tells what came of them',
  'tenure.reaction_checkpoint': 'a place in the old log: reactions begin with the end of the restored one',
  'tenure.audit_progress': 'a place in the old log: the tree is built anew of the restored one',
  'tenure.log_identity': 'claimed anew for the log that is restored into',
  'tenure.import_job': 'what came of an import is in the log; one that was under way is begun again',
  'tenure.import_item': 'what an import read of Stripe and had not recorded: it is read again',
  'tenure.reconciliation': 'what came of one is in the log; one that was under way is begun again',
  'tenure.reconciled_until': "without it all of Stripe's events of 30 days are looked through again",
  'tenure.sold_price': 'what Stripe says of its prices, asked again',
  'tenure.idempotency_key': 'replies of the last day, for repeats; what was made has its id from its key',
  'tenure.stripe_account': 'found again by asking Stripe for what the log tells of',
  'tenure.webhook_contact': "written again by Stripe's next delivery",
};
