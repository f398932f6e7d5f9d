import type { OpenAPIObject } from '@nestjs/swagger';
import { PROBLEMS, type ProblemCode } from '../../http/problem.js';
import { problemReferences } from '../../http/problem-examples.js';

type PathItem = OpenAPIObject['paths'][string];

const REFUSED: Readonly<Record<string, readonly ProblemCode[]>> = {
  400: ['invalid_request', 'unsupported_parameter', 'invalid_user_id'],
  401: ['unauthorized'],
  403: ['access_denied', 'other_user', 'forbidden'],
  431: ['headers_too_large'],
  503: ['read_model_not_ready', 'database_unavailable', 'user_keys_unavailable'],
};

/** How `CHECK_PATH`, which answers in front of all controllers, appears in the OpenAPI document. */
export const CHECK_DOCUMENT: PathItem = {
  get: {
    tags: ['Standards'],
    summary:
      'Whether a proxy may let a request through; by any method, and with the path asked about behind it',
    description:
      'Takes a user token, an entitlement token, or a key with the scope `entitlements:read` and `user`. See docs/ACCESS.md.',
    security: [{ key: [] }, { user: [] }],
    parameters: [
      parameter('query', 'feature', 'What is asked about; left out: the request that the headers name'),
      parameter('query', 'user', 'Of whom, where a key asks'),
      parameter('query', 'headers', '`forwarded`: the pair X-Forwarded-Method and X-Forwarded-Uri counts'),
      parameter('header', 'X-Original-Method', 'The method of the request that is asked about'),
      parameter('header', 'X-Original-URI', 'Its path'),
    ],
    responses: {
      204: { description: 'It may pass; `Tenure-Reason` says why' },
      ...Object.fromEntries(Object.entries(REFUSED).map(([status, codes]) => [status, problems(codes)])),
    },
  },
};

function parameter(place: 'query' | 'header', name: string, description: string) {
  return { in: place, name, description, required: false, schema: { type: 'string' as const } };
}

function problems(codes: readonly ProblemCode[]) {
  return {
    description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}`).join('; '),
    content: {
      'application/problem+json': {
        schema: { $ref: '#/components/schemas/Problem' },
        examples: problemReferences(codes),
      },
    },
  };
}
