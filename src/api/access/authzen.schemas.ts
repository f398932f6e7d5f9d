import { z } from 'zod';
import { faultedSchema } from '../schemas.js';

const text = z.string().min(1).max(4_000);
const properties = z.record(z.string(), z.unknown()).optional();
const subject = z.object({ type: text, id: text, properties });
const action = z.object({ name: text, properties });
const resource = z.object({ type: text, id: text, properties });
const context = z.record(z.string(), z.unknown());

/** Who wants to do what to which (OpenID AuthZEN Authorization API 1.0, "Access Evaluation API"). */
export const evaluationRequest = z.object({ subject, action, resource, context: context.optional() });
export type EvaluationRequest = z.infer<typeof evaluationRequest>;

export const SEMANTICS = ['execute_all', 'deny_on_first_deny', 'permit_on_first_permit'] as const;

/** Several at once ("Access Evaluations API"): what stands at the top holds where an entry says nothing else. */
export const evaluationsRequest = z.object({
  subject: subject.optional(),
  action: action.optional(),
  resource: resource.optional(),
  context: context.optional(),
  evaluations: z
    .array(
      z.object({
        subject: z.unknown().optional(),
        action: z.unknown().optional(),
        resource: z.unknown().optional(),
        context: z.unknown().optional(),
      }),
    )
    .max(100)
    .optional(),
  options: z.looseObject({ evaluations_semantic: z.enum(SEMANTICS).optional() }).optional(),
});
export type EvaluationsRequest = z.infer<typeof evaluationsRequest>;

export const evaluationResponse = z.strictObject({
  decision: z.boolean(),
  context: z.strictObject({
    reason: z.string().optional(),
    plan: z.string().optional(),
    upgradeTo: z.string().optional(),
    faulted: faultedSchema.optional(),
    error: z.strictObject({ status: z.number(), message: z.string() }).optional(),
  }),
});
export type EvaluationResponse = z.infer<typeof evaluationResponse>;
export const evaluationsResponse = z.union([
  z.strictObject({ evaluations: z.array(evaluationResponse) }),
  evaluationResponse,
]);
export type EvaluationsResponse = z.infer<typeof evaluationsResponse>;

const REQUEST = {
  subject: { type: 'user', id: 'user_42' },
  action: { name: 'use' },
  resource: { type: 'feature', id: 'export' },
};
/** Bodies as they are shown in the OpenAPI document. */
export const AUTHZEN_EXAMPLES: {
  readonly EvaluationRequest: z.input<typeof evaluationRequest>;
  readonly Evaluation: z.input<typeof evaluationResponse>;
  readonly EvaluationsRequest: z.input<typeof evaluationsRequest>;
  readonly Evaluations: z.input<typeof evaluationsResponse>;
} = {
  EvaluationRequest: REQUEST,
  Evaluation: { decision: true, context: { reason: 'in_plan', plan: 'plus' } },
  EvaluationsRequest: {
    ...REQUEST,
    evaluations: [{}, { resource: { type: 'route', id: 'GET /api/reports/7' } }],
  },
  Evaluations: {
    evaluations: [
      { decision: true, context: { reason: 'in_plan', plan: 'plus' } },
      { decision: false, context: { reason: 'no_route' } },
    ],
  },
};
