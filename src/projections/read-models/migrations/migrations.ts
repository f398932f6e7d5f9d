import { CreateReadModels1763700000100 } from './01-create-read-models.migration.js';
import { IndexDeadlines1763900000300 } from './02-index-deadlines.migration.js';
import { AddGenerations1763950000000 } from './03-add-generations.migration.js';
import { AddRebuildOrders1763960000000 } from './04-add-rebuild-jobs.migration.js';
import { IndexUserList1763970000000 } from './05-index-user-list.migration.js';
import { AddCustomerDeleted1763980000000 } from './06-add-customer-deleted.migration.js';
import { IndexAttention1763981000000 } from './07-index-attention.migration.js';
import { AddAdoptedLogs1763995000000 } from './08-add-adopted-logs.migration.js';
import { TakeTurnsWithPublications1763996000000 } from './09-add-publication-progress.migration.js';
import { TellRecentChanges1763997000000 } from './10-add-recent-changes.migration.js';
import { AddSetAside1763998000000 } from './11-add-set-aside.migration.js';
import { KeepAdoptedPrices1763999000000 } from './12-add-adopted-prices.migration.js';
import { AddTwoClocks1764000000000 } from './13-add-two-clocks.migration.js';
import { AddPayments1764001000000 } from './14-add-payments.migration.js';
import { AddGrants1764002000000 } from './15-add-grants.migration.js';
import { MarkSwappedRows1764003000000 } from './16-mark-swapped-rows.migration.js';
import { AddPurchases1764006000000 } from './17-add-purchases.migration.js';
import { AddPlanChanges1764007000000 } from './18-add-plan-changes.migration.js';
import { AddUsage1764008000000 } from './19-add-usage.migration.js';
import { AddFeedEpoch1764009000000 } from './20-add-feed-epoch.migration.js';
import { AddRebuildOrderIds1764010000000 } from './21-add-rebuild-order-ids.migration.js';
import { AddGroupedStretch1764011000000 } from './22-add-grouped-stretch.migration.js';

/**
 * Migrations of the projections, in the order in which they run: a new one is the last of this list, has the next number in its
 * file name and the greatest timestamp in its class name. TypeORM runs them by that timestamp, together with those of the log
 * and of keys, and a database remembers a class name for good: it never changes.
 */
export const projectionMigrations = [
  CreateReadModels1763700000100,
  IndexDeadlines1763900000300,
  AddGenerations1763950000000,
  AddRebuildOrders1763960000000,
  IndexUserList1763970000000,
  AddCustomerDeleted1763980000000,
  IndexAttention1763981000000,
  AddAdoptedLogs1763995000000,
  TakeTurnsWithPublications1763996000000,
  TellRecentChanges1763997000000,
  AddSetAside1763998000000,
  KeepAdoptedPrices1763999000000,
  AddTwoClocks1764000000000,
  AddPayments1764001000000,
  AddGrants1764002000000,
  MarkSwappedRows1764003000000,
  AddPurchases1764006000000,
  AddPlanChanges1764007000000,
  AddUsage1764008000000,
  AddFeedEpoch1764009000000,
  AddRebuildOrderIds1764010000000,
  AddGroupedStretch1764011000000,
];
