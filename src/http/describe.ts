import { applyDecorators, HttpCode } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiQuery, ApiResponse, ApiSecurity } from '@nestjs/swagger';
import { z } from 'zod';
import { type Access, AllowAccess, AllowUserTokens, type UserTokens } from './access.js';
import { Idempotent, type KeptAs } from './idempotency/idempotent.js';
import { PROBLEMS, type ProblemCode } from './problem.js';
import { problemReferences } from './problem-examples.js';
import { REACHING, ReadsAtPosition } from './read-position.js';
import { DEFAULT_LIMIT, MAX_LIMIT } from './validation.js';

type OpenApiSchema = NonNullable<Parameters<typeof ApiBody>[0] & { schema?: unknown }>['schema'];

/** Without a schema the answer has no body. `type` is its media type, `application/json` when left out. */
export interface DescribedAnswer {
  readonly description: string;
  readonly schema?: z.ZodType;
  readonly type?: string;
  /** A body, where it is not the example that goes with the schema. */
  readonly example?: unknown;
}

/** How a route appears in the OpenAPI document. */
export interface RouteDescription {
  readonly summary: string;
  readonly ok: DescribedAnswer & {
    /** 200 when left out. */
    readonly status?: number;
    /** What is sent instead to who accepts `text/event-stream`. */
    readonly stream?: { readonly description: string; readonly example: string };
  };
  readonly body?: z.ZodType;
  readonly problems: readonly ProblemCode[];
  /** Other answers that are no problems, such as 304, by status. */
  readonly also?: Readonly<Record<number, DescribedAnswer>>;
  /** The scope that is needed, or `open`; held by `ScopeGuard`. Routes below /v1 need a key. */
  readonly access: Access;
  /** That user tokens may use it too, and how it is held to their user. Left out: keys alone. */
  readonly userTokens?: UserTokens;
  /** That it takes an `Idempotency-Key`: every POST and PATCH below /v1 that makes or changes something lasting. */
  readonly idempotency?: KeptAs;
  /**
   * That it reads users and takes `minPosition`. `read`: that is waited for before it, and the position told in `Tenure-Position`;
   * `itself`: it waits and tells by its own means, as a stream does.
   */
  readonly position?: 'read' | 'itself';
}

/** What a route answers beside its own where it takes an `Idempotency-Key`. */
const KEYED = [
  'invalid_request',
  'idempotency_key_in_use',
  'idempotency_key_reused',
  'database_unavailable',
] as const;
/** What any body may be refused for before it is read, also of a route that takes none. */
export const BODY_PROBLEMS = ['malformed_json', 'payload_too_large', 'unsupported_media_type'] as const;

const MIN_POSITION = {
  name: 'minPosition',
  type: String,
  required: false,
  description: 'Wait until this position is read.',
};

/** Documents a route from the schemas and the table of problems it really uses, and says its status and who may use it. */
export function Describe(route: RouteDescription): MethodDecorator {
  const guarded =
    route.access === 'open' ? [] : (['unauthorized', 'forbidden', 'too_many_failures'] as const);
  const keyed = route.idempotency === undefined ? [] : KEYED;
  const own = takesUsers(route) ? (['user_keys_unavailable'] as const) : [];
  const others =
    route.userTokens === undefined || route.userTokens === 'nobody' ? [] : (['other_user'] as const);
  const reaching = route.position === undefined ? [] : REACHING;
  const problems = new Set<ProblemCode>([
    'headers_too_large',
    ...guarded,
    ...others,
    ...route.problems,
    ...reaching,
    ...keyed,
    ...own,
    ...ofPersons(route),
  ]);
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of problems) {
    const { status } = PROBLEMS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return applyDecorators(
    AllowAccess(route.access),
    HttpCode(route.ok.status ?? 200),
    ApiOperation({
      summary: route.summary,
      ...(route.access === 'open' ? {} : { description: needs(route) }),
    }),
    ...(isForKeys(route) ? [ApiSecurity('key')] : []),
    ...(route.access === 'ticket' ? [ApiSecurity('ticket')] : []),
    ...(takesUsers(route) ? [ApiSecurity('user')] : []),
    ...(route.userTokens === undefined ? [] : [AllowUserTokens(route.userTokens)]),
    ...(route.idempotency === undefined ? [] : [Idempotent(route.idempotency)]),
    ...(route.position === undefined ? [] : [ApiQuery(MIN_POSITION)]),
    ...(route.position === 'read' ? [ReadsAtPosition()] : []),
    ...(route.body === undefined ? [] : [ApiBody({ schema: jsonSchema(route.body), required: true })]),
    ...Object.entries({ ...route.also, [route.ok.status ?? 200]: route.ok }).map(([status, answer]) =>
      ApiResponse({
        status: Number(status),
        description: answer.description,
        ...contentOf(answer),
      }),
    ),
    ...[...byStatus.entries()].map(([status, codes]) => {
      const beside = route.also?.[status];
      const titles = codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}`);
      return ApiResponse({
        status,
        description: [...(beside === undefined ? [] : [beside.description]), ...titles].join('; '),
        content: {
          ...(beside === undefined ? {} : contentOf(beside).content),
          'application/problem+json': {
            schema: { $ref: '#/components/schemas/Problem' },
            examples: problemReferences(codes),
          },
        },
      });
    }),
  );
}

/** What is refused of persons: whoever was erased or cannot be looked up, and what is said for the log of whom it is about. */
function ofPersons(route: RouteDescription): readonly ProblemCode[] {
  const isOfUsers = route.problems.includes('invalid_user_id') || takesUsers(route);
  const isSaid = route.body !== undefined && JSON.stringify(jsonSchema(route.body)).includes('"reason"');
  return [
    ...(isOfUsers ? (['user_erased', 'database_unavailable'] as const) : []),
    ...(isSaid ? (['unfit_text'] as const) : []),
  ];
}

function isForKeys({ access }: RouteDescription): boolean {
  return access !== 'open' && access !== 'user' && access !== 'ticket';
}

function takesUsers({ access, userTokens }: RouteDescription): boolean {
  return access === 'user' || userTokens !== undefined;
}

function needs({ access, userTokens }: RouteDescription): string {
  if (access === 'user') return 'Needs a user token.';
  if (access === 'ticket') return 'Needs the ticket that came with its path.';
  const key = `Needs the scope \`${access}\``;
  if (userTokens === undefined) return `${key}.`;
  return userTokens === 'nobody' ? `${key}, or a user token.` : `${key}, or a token of the user it is about.`;
}

/** Documents the parameters of a list, or of every list of a controller. */
export function DescribePage(): ClassDecorator & MethodDecorator {
  return applyDecorators(
    ApiQuery({
      name: 'limit',
      type: Number,
      required: false,
      description: `1 to ${MAX_LIMIT}, ${DEFAULT_LIMIT} when left out`,
    }),
    ApiQuery({ name: 'cursor', type: String, required: false, description: '`next` of the page before' }),
  );
}

function contentOf(answer: DescribedAnswer & Pick<RouteDescription['ok'], 'stream'>) {
  const { schema, type = 'application/json', example, stream } = answer;
  if (schema === undefined) return {};
  const body = { schema: jsonSchema(schema), ...(example === undefined ? {} : { example }) };
  if (stream === undefined) return { content: { [type]: body } };
  const events = { schema: { type: 'string', description: stream.description }, example: stream.example };
  return { content: { [type]: body, 'text/event-stream': events } };
}

/** The JSON schema of a zod schema, in the dialect of OpenAPI 3.0. */
export function jsonSchema(schema: z.ZodType): NonNullable<OpenApiSchema> {
  return z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input' }) as NonNullable<OpenApiSchema>;
}
