/** Shapes of answers, from the schemas that the service itself answers by. */
import type { z } from 'zod';
import type { historySchema } from '../../../src/api/audit/audit.schemas.js';
import type { grantsResponse, overridesResponse } from '../../../src/api/grants/grants.schemas.js';
import type { projectionResponse, rebuildResponse } from '../../../src/api/ops/projection.schemas.js';
import type { deadLettersResponse } from '../../../src/api/ops/webhook-endpoints.schemas.js';
import type { plansResponse } from '../../../src/api/plans/plans.schemas.js';
import type {
  erasedClaimsResponse,
  missingPseudonymsResponse,
} from '../../../src/api/pseudonyms/pseudonyms.schemas.js';
import type {
  conflictsResponse,
  explainedSnapshotSchema,
  faultsResponse,
  fraudWarningsResponse,
  pendingPaymentsResponse,
  reasonSchema,
  unjoinedPaymentsResponse,
  unlinkedResponse,
  unmappedPricesResponse,
} from '../../../src/api/schemas.js';
import type { usersResponse } from '../../../src/api/users/users.controller.js';
import type { handledDelivery } from '../../../src/webhooks/recent-deliveries.js';

export type Snapshot = z.output<typeof explainedSnapshotSchema>;
export type Reason = z.output<typeof reasonSchema>;
export type History = z.output<typeof historySchema>;
export type HistoryItem = History['items'][number];
export type Users = z.output<typeof usersResponse>;
export type Grants = z.output<typeof grantsResponse>;
export type Overrides = z.output<typeof overridesResponse>;
export type Plans = z.output<typeof plansResponse>;
export type Projection = z.output<typeof projectionResponse>;
export type Rebuild = z.output<typeof rebuildResponse>;
export type Delivery = z.output<typeof handledDelivery>;
export type DeadLetters = z.output<typeof deadLettersResponse>;
export type Unlinked = z.output<typeof unlinkedResponse>;
export type Conflicts = z.output<typeof conflictsResponse>;
export type UnmappedPrices = z.output<typeof unmappedPricesResponse>;
export type PendingPayments = z.output<typeof pendingPaymentsResponse>;
export type UnjoinedPayments = z.output<typeof unjoinedPaymentsResponse>;
export type FraudWarnings = z.output<typeof fraudWarningsResponse>;
export type ErasedClaims = z.output<typeof erasedClaimsResponse>;
export type MissingPseudonyms = z.output<typeof missingPseudonymsResponse>;
export type Faults = z.output<typeof faultsResponse>;
