import { z } from 'zod';
import { faultedSchema } from '../schemas.js';

export const tokenResponse = z.strictObject({
  token: z.string().describe('a JWT, signed by a key of `/.well-known/jwks.json`'),
  expiresAt: z.string(),
  version: z.number().int().describe('its claim `ver`: the revocation version it tells of'),
});

/** A public key (RFC 7517): of the curve Ed25519, or P-256. */
export const jwksResponse = z.strictObject({
  keys: z.array(
    z.strictObject({
      kty: z.enum(['OKP', 'EC']),
      crv: z.enum(['Ed25519', 'P-256']),
      x: z.string(),
      y: z.string().optional(),
      kid: z.string(),
      alg: z.enum(['EdDSA', 'ES256']),
      use: z.literal('sig'),
    }),
  ),
});

export const introspectionRequest = z.object({
  token: z.string({ error: 'must be given, once' }).min(1, 'must be given'),
  token_type_hint: z.string().optional().describe('is not looked at'),
});
export type IntrospectionRequest = z.infer<typeof introspectionRequest>;

const limit = z.union([z.number(), z.literal('unlimited')]);
export const introspectionResponse = z.union([
  z.strictObject({ active: z.literal(false) }),
  z.strictObject({
    active: z.literal(true),
    iss: z.string(),
    sub: z.string().describe('the user id'),
    iat: z.number(),
    exp: z.number(),
    ver: z.number(),
    role: z.string(),
    plan: z.string(),
    status: z.string(),
    features: z.array(z.string()),
    limits: z.record(z.string(), limit),
    faulted: faultedSchema.optional(),
  }),
]);

/** Bodies as they are shown in the OpenAPI document. */
export const TOKEN_EXAMPLES: {
  readonly Token: z.input<typeof tokenResponse>;
  readonly Jwks: z.input<typeof jwksResponse>;
  readonly IntrospectionRequest: z.input<typeof introspectionRequest>;
  readonly Introspection: z.input<typeof introspectionResponse>;
} = {
  Token: {
    token:
      'eyJhbGciOiJFZERTQSIsInR5cCI6ImVudGl0bGVtZW50cytqd3QiLCJraWQiOiI4MWIifQ.eyJzdWIiOiJ1c2VyXzQyIn0.c2ln',
    expiresAt: '2026-11-01T09:35:02.000Z',
    version: 3,
  },
  Jwks: {
    keys: [
      {
        crv: 'Ed25519',
        x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
        kty: 'OKP',
        kid: 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
        alg: 'EdDSA',
        use: 'sig',
      },
    ],
  },
  IntrospectionRequest: { token: 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ1c2VyXzQyIn0.c2ln' },
  Introspection: {
    active: true,
    iss: 'tenure',
    sub: 'user_42',
    iat: 1_793_525_402,
    exp: 1_793_525_702,
    ver: 3,
    role: 'paid',
    plan: 'plus',
    status: 'active',
    features: ['export', 'reports'],
    limits: { members: 500 },
  },
};
