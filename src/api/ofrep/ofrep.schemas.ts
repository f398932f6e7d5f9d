import { z } from 'zod';

const MOST = 4_000;

/** Of whom a flag is asked (OpenFeature Remote Evaluation Protocol 0.3, "evaluationRequest"); what else a context has is not looked at. */
export const ofrepRequest = z.object({
  context: z.looseObject({ targetingKey: z.string().max(MOST).optional() }).optional(),
});
export type OfrepRequest = z.infer<typeof ofrepRequest>;

const metadata = z.record(z.string(), z.union([z.boolean(), z.string(), z.number()]));
export const flagResponse = z.strictObject({
  key: z.string(),
  value: z.union([z.boolean(), z.number()]).describe('a feature: whether it is held; a limit: how much'),
  reason: z.literal('TARGETING_MATCH'),
  variant: z.enum(['on', 'off']).optional().describe('of a feature'),
  metadata: metadata.optional(),
});
export type FlagResponse = z.infer<typeof flagResponse>;
/** A stream that tells when to ask again (OFREP 0.3, "eventStreams"). */
const eventStream = z.strictObject({
  type: z.literal('sse'),
  endpoint: z.strictObject({
    requestUri: z
      .string()
      .describe('a path at the origin that was called; it holds a ticket: keep it out of logs'),
  }),
  inactivityDelaySec: z.number().int().describe('seconds after which a hidden page leaves it'),
});
export const flagsResponse = z.strictObject({
  flags: z.array(flagResponse),
  metadata,
  eventStreams: z.array(eventStream).optional().describe('for user tokens: an `EventSource` sends no key'),
});
export type FlagsResponse = z.infer<typeof flagsResponse>;
export const ofrepFailure = z.strictObject({
  key: z.string().optional(),
  errorCode: z.enum(['PARSE_ERROR', 'TARGETING_KEY_MISSING', 'INVALID_CONTEXT', 'FLAG_NOT_FOUND', 'GENERAL']),
  errorDetails: z.string(),
});
export type OfrepFailure = z.infer<typeof ofrepFailure>;

const FLAG = { key: 'export', value: true, reason: 'TARGETING_MATCH', variant: 'on' } as const;
/** Bodies as they are shown in the OpenAPI document. */
export const OFREP_EXAMPLES: {
  readonly OfrepRequest: z.input<typeof ofrepRequest>;
  readonly OfrepFlag: z.input<typeof flagResponse>;
  readonly OfrepFlags: z.input<typeof flagsResponse>;
  readonly OfrepFailure: z.input<typeof ofrepFailure>;
} = {
  OfrepRequest: { context: { targetingKey: 'user_42' } },
  OfrepFlag: { ...FLAG, metadata: { plan: 'plus', reason: 'in_plan' } },
  OfrepFlags: {
    flags: [FLAG, { key: 'members', value: 500, reason: 'TARGETING_MATCH' }],
    metadata: { plan: 'plus', role: 'paid', status: 'active', version: 3 },
    eventStreams: [
      {
        type: 'sse',
        endpoint: { requestUri: '/ofrep/v1/event-stream?ticket=dXNlcl80Mg.tpwm0g.mLk' },
        inactivityDelaySec: 120,
      },
    ],
  },
  OfrepFailure: { key: 'exprot', errorCode: 'FLAG_NOT_FOUND', errorDetails: 'No plan and no add-on has it.' },
};
