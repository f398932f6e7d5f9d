import type { z } from 'zod';
import { handledDelivery } from '../webhooks/recent-deliveries.js';
import { webhookReceipt } from '../webhooks/webhook.service.js';
import * as authzen from './access/authzen.schemas.js';
import * as audit from './audit/audit.schemas.js';
import * as checkout from './checkout/checkout.schemas.js';
import * as grants from './grants/grants.schemas.js';
import * as ofrep from './ofrep/ofrep.schemas.js';
import { deliveriesResponse } from './ops/deliveries.controller.js';
import * as imports from './ops/import.schemas.js';
import * as projection from './ops/projection.schemas.js';
import * as reconciliation from './ops/reconciliation.schemas.js';
import * as endpoints from './ops/webhook-endpoints.schemas.js';
import { planChangeRequest, planChangeResponse } from './plans/plan-change.schemas.js';
import { plansResponse } from './plans/plans.schemas.js';
import { portalRequest, portalResponse } from './portal/portal.schemas.js';
import * as pseudonyms from './pseudonyms/pseudonyms.schemas.js';
import { revocationsResponse } from './revocations/revocations.schemas.js';
import * as api from './schemas.js';
import * as tokens from './tokens/tokens.schemas.js';
import { usersResponse } from './users/users.controller.js';

/** Schemas of the OpenAPI document by the names that its readers, and clients generated from it, know them by. */
export const NAMED = {
  Snapshot: api.snapshotSchema,
  ErasedEntry: api.erasedEntrySchema,
  AsOfSnapshot: api.asOfSnapshotSchema,
  AnySnapshot: api.anySnapshotSchema,
  BatchRequest: api.batchRequest,
  Batch: api.batchResponse,
  Reason: api.reasonSchema,
  Feature: api.explainedFeatureResponse,
  UsageRequest: api.usageRequest,
  LinkRequest: api.linkRequest,
  LinksRequest: api.linksRequest,
  Recorded: api.recordedResponse,
  Links: api.linksResponse,
  Unlinked: api.unlinkedResponse,
  ErasedClaims: pseudonyms.erasedClaimsResponse,
  MissingPseudonyms: pseudonyms.missingPseudonymsResponse,
  Conflicts: api.conflictsResponse,
  UnmappedPrices: api.unmappedPricesResponse,
  PendingPayments: api.pendingPaymentsResponse,
  UnjoinedPayments: api.unjoinedPaymentsResponse,
  FraudWarnings: api.fraudWarningsResponse,
  Faults: api.faultsResponse,
  SetAside: api.setAsideCounts,
  Live: api.liveResponse,
  Readiness: api.readyResponse,
  RebuildRequest: projection.rebuildRequest,
  SwapRequest: projection.swapRequest,
  RollbackRequest: projection.rollbackRequest,
  VerifyRequest: projection.verifyRequest,
  ResumeRequest: projection.resumeRequest,
  SkipRequest: projection.skipRequest,
  Resumed: projection.resumedResponse,
  Skipped: projection.skippedResponse,
  Comparison: projection.comparisonResponse,
  Swap: projection.swapResponse,
  Rollback: projection.rollbackResponse,
  AuditLine: audit.auditLineSchema,
  History: audit.historySchema,
  Users: usersResponse,
  Revocations: revocationsResponse,
  Plans: plansResponse,
  PlanChangeRequest: planChangeRequest,
  PlanChange: planChangeResponse,
  PortalRequest: portalRequest,
  Portal: portalResponse,
  CheckoutRequest: checkout.checkoutRequest,
  Checkout: checkout.checkoutResponse,
  CheckoutStatus: checkout.checkoutStatusResponse,
  GrantRequest: grants.grantRequest,
  IssuedGrant: grants.issuedResponse,
  Grants: grants.grantsResponse,
  OverrideRequest: grants.overrideRequest,
  Overrides: grants.overridesResponse,
  EvaluationRequest: authzen.evaluationRequest,
  Evaluation: authzen.evaluationResponse,
  EvaluationsRequest: authzen.evaluationsRequest,
  Evaluations: authzen.evaluationsResponse,
  OfrepRequest: ofrep.ofrepRequest,
  OfrepFlag: ofrep.flagResponse,
  OfrepFlags: ofrep.flagsResponse,
  OfrepFailure: ofrep.ofrepFailure,
  Token: tokens.tokenResponse,
  Jwks: tokens.jwksResponse,
  IntrospectionRequest: tokens.introspectionRequest,
  Introspection: tokens.introspectionResponse,
  Publication: projection.publicationResponse,
  Verification: projection.verificationResponse,
  Rebuild: projection.rebuildResponse,
  Projection: projection.projectionResponse,
  Projections: projection.projectionsResponse,
  ImportRequest: imports.importRequest,
  Import: imports.importResponse,
  ReconciliationRequest: reconciliation.reconciliationRequest,
  Reconciliation: reconciliation.reconciliationResponse,
  WebhookEndpointRequest: endpoints.endpointRequest,
  WebhookEndpointPatch: endpoints.endpointPatch,
  WebhookEndpoint: endpoints.endpointResponse,
  WebhookEndpointSecret: endpoints.secretResponse,
  WebhookEndpoints: endpoints.endpointsResponse,
  WebhookTest: endpoints.testResponse,
  DeadLetters: endpoints.deadLettersResponse,
  Replayed: endpoints.replayResponse,
  Delivery: handledDelivery,
  Deliveries: deliveriesResponse,
  Receipt: webhookReceipt,
} as const satisfies Record<string, z.ZodType>;
