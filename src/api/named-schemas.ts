import type { OpenAPIObject } from '@nestjs/swagger';
import type { z } from 'zod';
import { jsonSchema } from '../http/describe.js';
import { webhookReceipt } from '../webhooks/webhook.service.js';
import * as projection from './ops/projection.schemas.js';
import * as api from './schemas.js';
import { usersResponse } from './users/users.controller.js';

/** Schemas of the OpenAPI document by the names that its readers, and clients generated from it, know them by. */
const NAMED: Readonly<Record<string, z.ZodType>> = {
  Snapshot: api.snapshotSchema,
  BatchRequest: api.batchRequest,
  Batch: api.batchResponse,
  Feature: api.featureResponse,
  LinkRequest: api.linkRequest,
  LinksRequest: api.linksRequest,
  Recorded: api.recordedResponse,
  Links: api.linksResponse,
  Unlinked: api.unlinkedResponse,
  Conflicts: api.conflictsResponse,
  UnmappedPrices: api.unmappedPricesResponse,
  PendingPayments: api.pendingPaymentsResponse,
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
  Users: usersResponse,
  Publication: projection.publicationResponse,
  Verification: projection.verificationResponse,
  Rebuild: projection.rebuildResponse,
  Projection: projection.projectionResponse,
  Projections: projection.projectionsResponse,
  Receipt: webhookReceipt,
};

/** The document with every schema that has a name among its components, and a reference wherever it stood. */
export function withNamedSchemas(document: OpenAPIObject): OpenAPIObject {
  const byText = new Map<string, string>();
  for (const [name, schema] of Object.entries(NAMED)) byText.set(JSON.stringify(jsonSchema(schema)), name);
  const referring = (value: unknown, itself: string | null): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    const name = byText.get(JSON.stringify(value));
    if (name !== undefined && name !== itself) return { $ref: `#/components/schemas/${name}` };
    if (Array.isArray(value)) return value.map((each) => referring(each, null));
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, referring(each, null)]));
  };
  const named = Object.entries(NAMED).map(([name, schema]) => [name, referring(jsonSchema(schema), name)]);
  const { paths, components, ...others } = document;
  return {
    ...others,
    paths: referring(paths, null) as OpenAPIObject['paths'],
    components: { ...components, schemas: { ...components?.schemas, ...Object.fromEntries(named) } },
  };
}
