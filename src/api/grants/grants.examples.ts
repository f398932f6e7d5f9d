import type { z } from 'zod';
import type * as schemas from './grants.schemas.js';

const GRANT = {
  grantId: '0b7c2f6d-9a1e-5c3f-8d5b-6a7e9c1d2f30',
  plan: 'plus',
  addons: { seats: 3 },
  features: [],
  limits: {},
  startsAt: '2026-11-01T09:30:02.000Z',
  expiresAt: '2026-12-01T00:00:00.000Z',
  reason: 'winner of the autumn contest',
  actor: 'mira',
};

/** A body of each schema of grants and overrides that has a name in the OpenAPI document. */
export const GRANTS_EXAMPLES = {
  GrantRequest: {
    plan: 'plus',
    addons: { seats: 3 },
    expiresAt: '2026-12-01T00:00:00.000Z',
    reason: 'winner of the autumn contest',
    actor: 'mira',
  },
  IssuedGrant: { userId: 'user_42', ...GRANT, startsAt: null, outcome: 'applied', position: '1842' },
  Grants: {
    grants: [{ ...GRANT, state: 'holds', missing: [], issuedAt: '2026-11-01T09:30:02.000Z', revoked: null }],
  },
  OverrideRequest: { add: 20, expiresAt: '2026-12-01T00:00:00.000Z', reason: 'as agreed', actor: 'mira' },
  Overrides: {
    overrides: [
      {
        key: 'members',
        kind: 'limit',
        value: 520,
        planValue: 500,
        overrideValue: 520,
        add: 20,
        state: 'in_force',
        setAt: '2026-11-01T09:30:02.000Z',
        expiresAt: '2026-12-01T00:00:00.000Z',
        reason: 'as agreed',
        actor: 'mira',
      },
    ],
  },
} satisfies {
  readonly GrantRequest: z.input<typeof schemas.grantRequest>;
  readonly IssuedGrant: z.input<typeof schemas.issuedResponse>;
  readonly Grants: z.input<typeof schemas.grantsResponse>;
  readonly OverrideRequest: z.input<typeof schemas.overrideRequest>;
  readonly Overrides: z.input<typeof schemas.overridesResponse>;
};
