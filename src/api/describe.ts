import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiResponse, ApiSecurity } from '@nestjs/swagger';
import { z } from 'zod';
import { PROBLEMS, type ProblemCode } from './http/problem.js';

type OpenApiSchema = NonNullable<Parameters<typeof ApiBody>[0] & { schema?: unknown }>['schema'];

/** How a route appears in the OpenAPI document. */
export interface RouteDescription {
  readonly summary: string;
  readonly ok: { readonly description: string; readonly schema?: z.ZodType };
  readonly body?: z.ZodType;
  readonly problems: readonly ProblemCode[];
  /** Routes below /v1 need a key. */
  readonly access: 'key' | 'open';
}

/** Documents a route from the schemas and the table of problems it really uses. */
export function Describe(route: RouteDescription): MethodDecorator {
  const problems: readonly ProblemCode[] =
    route.access === 'key' ? ['unauthorized', 'too_many_failures', ...route.problems] : route.problems;
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of problems) {
    const { status } = PROBLEMS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return applyDecorators(
    ApiOperation({ summary: route.summary }),
    ...(route.access === 'key' ? [ApiSecurity('key')] : []),
    ...(route.body === undefined ? [] : [ApiBody({ schema: jsonSchema(route.body), required: true })]),
    ApiResponse({
      status: 200,
      description: route.ok.description,
      ...(route.ok.schema === undefined ? {} : { schema: jsonSchema(route.ok.schema) }),
    }),
    ...[...byStatus.entries()].map(([status, codes]) =>
      ApiResponse({
        status,
        description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}`).join('; '),
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      }),
    ),
  );
}

/** The JSON schema of a zod schema, in the dialect of OpenAPI 3.0. */
function jsonSchema(schema: z.ZodType): NonNullable<OpenApiSchema> {
  return z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input' }) as NonNullable<OpenApiSchema>;
}
