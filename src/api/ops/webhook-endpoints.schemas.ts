import { z } from 'zod';
import { BULK_SOURCES, MESSAGE_TYPE_NAMES } from '../../reactions/webhooks/message-types.js';

const url = z.string().min(1).max(2_000).describe('https, of the public internet');
const description = z
  .string()
  .max(200)
  .regex(/^[^\0\p{Surrogate}]*$/u, 'holds U+0000 or half a character');
const types = z
  .array(z.enum(MESSAGE_TYPE_NAMES))
  .min(1)
  .nullable()
  .describe('which messages; null: all, also types that come later');
const bulk = z.array(z.enum(BULK_SOURCES)).describe('what is sent besides, of what is brought in bulk');

export const endpointRequest = z.strictObject({
  url,
  description: description.default(''),
  types: types.default(null),
  bulk: bulk.default([]),
});
export type EndpointRequest = z.infer<typeof endpointRequest>;

export const endpointPatch = z.strictObject({
  url: url.optional(),
  description: description.optional(),
  types: types.optional(),
  bulk: bulk.optional(),
  state: z.enum(['active', 'paused']).optional().describe('paused: messages are kept and wait'),
});
export type EndpointPatch = z.infer<typeof endpointPatch>;

export const endpointResponse = z.strictObject({
  id: z.string(),
  url: z.string(),
  description: z.string(),
  types: z.array(z.string()).nullable(),
  bulk: z.array(z.string()),
  state: z.enum(['active', 'paused']),
  createdAt: z.string(),
  rotatedUntil: z.string().nullable().describe('until when the secret of before signs beside the new one'),
});
export const secretResponse = endpointResponse.extend({
  secret: z.string().describe('whsec_…, shown this once'),
});
export const endpointsResponse = z.strictObject({ endpoints: z.array(endpointResponse) });

export const testResponse = z.strictObject({
  id: z.string().describe('of the message'),
  delivered: z.boolean(),
  answered: z.number().int().nullable().describe("the receiver's status; null: none came"),
  failure: z.string().nullable(),
  milliseconds: z.number().int(),
});

export const deadLettersResponse = z.strictObject({
  deadLetters: z.array(
    z.strictObject({
      id: z.string(),
      reaction: z.string(),
      group: z.string().describe('what it was for; of a webhook its endpoint'),
      attempts: z.number().int(),
      failure: z.string().nullable(),
      createdAt: z.string(),
      deadAt: z.string(),
      payload: z.unknown(),
    }),
  ),
  next: z.string().nullable(),
});
export const replayResponse = z.strictObject({ id: z.string(), replayed: z.literal(true) });

const ENDPOINT = {
  id: 'whe_0b8f7a52-1c0e-5f0a-9d57-6f3f0f2f1c11',
  url: 'https://app.example.com/hooks/tenure',
  description: 'the app',
  types: ['access.changed', 'access.ended'],
  bulk: [],
  state: 'active',
  createdAt: '2026-11-01T09:30:02.000Z',
  rotatedUntil: null,
} as const;

export const WEBHOOK_ENDPOINT_EXAMPLES = {
  WebhookEndpointRequest: {
    url: ENDPOINT.url,
    description: ENDPOINT.description,
    types: [...ENDPOINT.types],
  },
  WebhookEndpointPatch: { state: 'paused' },
  WebhookEndpoint: { ...ENDPOINT, types: [...ENDPOINT.types], bulk: [] },
  WebhookEndpointSecret: {
    ...ENDPOINT,
    types: [...ENDPOINT.types],
    bulk: [],
    secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  },
  WebhookEndpoints: { endpoints: [{ ...ENDPOINT, types: [...ENDPOINT.types], bulk: [] }] },
  WebhookTest: {
    id: 'f0d1a7c2-6a53-5c1c-8a43-0d4f4f7c2b10',
    delivered: true,
    answered: 204,
    failure: null,
    milliseconds: 41,
  },
  DeadLetters: {
    deadLetters: [
      {
        id: 'a1d1a7c2-6a53-5c1c-8a43-0d4f4f7c2b10',
        reaction: 'webhooks',
        group: ENDPOINT.id,
        attempts: 12,
        failure: 'answered 500',
        createdAt: '2026-11-01T09:30:02.000Z',
        deadAt: '2026-11-05T01:30:02.000Z',
        payload: { id: 'f0d1a7c2-6a53-5c1c-8a43-0d4f4f7c2b10', type: 'access.changed' },
      },
    ],
    next: null,
  },
  Replayed: { id: 'a1d1a7c2-6a53-5c1c-8a43-0d4f4f7c2b10', replayed: true },
} satisfies {
  readonly WebhookEndpointRequest: z.input<typeof endpointRequest>;
  readonly WebhookEndpointPatch: z.input<typeof endpointPatch>;
  readonly WebhookEndpoint: z.input<typeof endpointResponse>;
  readonly WebhookEndpointSecret: z.input<typeof secretResponse>;
  readonly WebhookEndpoints: z.input<typeof endpointsResponse>;
  readonly WebhookTest: z.input<typeof testResponse>;
  readonly DeadLetters: z.input<typeof deadLettersResponse>;
  readonly Replayed: z.input<typeof replayResponse>;
};
