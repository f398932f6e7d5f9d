import { z } from 'zod';
import type { Account } from '../account.js';
import { resourceMissing } from '../api-error.js';
import { moveDispute } from '../billing/disputes.js';
import { listOf } from '../http/lists.js';
import type { Router } from '../http/router.js';
import * as p from '../params.js';
import type { Dispute } from '../types.js';

/** What Stripe's test evidence makes of a dispute (Stripe: "Test disputes", evidence). */
const OUTCOMES: Readonly<Record<string, 'won' | 'lost' | 'needs_response'>> = {
  winning_evidence: 'won',
  losing_evidence: 'lost',
  escalate_inquiry_evidence: 'needs_response',
};

/** `/v1/disputes` and `/v1/radar/early_fraud_warnings`. */
export function disputeRoutes(router: Router, account: Account): void {
  const { disputes, earlyFraudWarnings } = account;
  const one = z.strictObject({ expand: p.expand });
  const list = z.strictObject({
    ...p.cursor,
    charge: p.text.optional(),
    created: p.range,
    payment_intent: p.text.optional(),
  });
  router.on('GET', '/v1/disputes', list, (params) =>
    listOf('/v1/disputes', disputes, params, {
      by:
        params.charge !== undefined
          ? ['charge', params.charge]
          : params.payment_intent === undefined
            ? undefined
            : ['payment_intent', params.payment_intent],
      where: (row) => p.isWithin(params.created, row.created),
    }),
  );
  router.on('GET', '/v1/disputes/:id', one, (_, { id }) => disputeOf(account, id));
  const update = z.strictObject({
    evidence: z.record(z.string(), z.unknown()).optional(),
    metadata: p.emptyable(p.metadata).optional(),
    submit: p.boolean.optional(),
    expand: p.expand,
  });
  router.on('POST', '/v1/disputes/:id', update, ({ evidence, metadata, submit }, { id }) => {
    const before = disputeOf(account, id);
    const text = typeof evidence?.uncategorized_text === 'string' ? evidence.uncategorized_text : null;
    account.change(
      disputes,
      id,
      {
        metadata: p.mergeMetadata(before.metadata, metadata),
        evidence: text === null ? before.evidence : { ...before.evidence, uncategorized_text: text },
        evidence_details: { ...before.evidence_details, has_evidence: evidence !== undefined },
      },
      'charge.dispute.updated',
    );
    if (evidence === undefined || submit === false) return disputeOf(account, id);
    const isInquiry = before.status.startsWith('warning_');
    const outcome = OUTCOMES[text ?? ''];
    const ends =
      isInquiry && outcome !== 'needs_response' && outcome !== undefined ? 'warning_closed' : outcome;
    return moveDispute(account, id, ends ?? (isInquiry ? 'warning_under_review' : 'under_review'));
  });
  router.on('POST', '/v1/disputes/:id/close', one, (_, { id }) =>
    moveDispute(account, disputeOf(account, id).id, 'lost'),
  );

  const path = '/v1/radar/early_fraud_warnings';
  const warnings = z.strictObject({ ...p.cursor, charge: p.text.optional(), created: p.range });
  router.on('GET', path, warnings, (params) =>
    listOf(path, earlyFraudWarnings, params, {
      by: params.charge === undefined ? undefined : ['charge', params.charge],
      where: (row) => p.isWithin(params.created, row.created),
    }),
  );
  router.on('GET', `${path}/:id`, one, (_, { id }) => {
    const warning = earlyFraudWarnings.find(id);
    if (warning === undefined) throw resourceMissing('early_fraud_warning', id);
    return warning;
  });
}

/** @throws ApiError 404 */
export function disputeOf(account: Account, id: string): Dispute {
  const dispute = account.disputes.find(id);
  if (dispute === undefined) throw resourceMissing('dispute', id);
  return dispute;
}
