import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { NextFunction, Request, Response } from 'express';
import { PROBLEMS } from '../http/problem.js';
import { requestIdOf } from '../http/request-id.js';
import { RouteTable } from '../http/route-table.js';
import { CHECK_PATH } from './access/access-check.js';
import { CHECK_DOCUMENT } from './access/check.document.js';
import { completeDocument } from './complete-document.js';

/** What is served beside the documented API. */
const BESIDE: ReadonlyMap<string, readonly string[]> = new Map([
  ['/openapi.json', ['GET']],
  ['/docs', ['GET']],
]);

/** Serves the OpenAPI document at `/openapi.json` and Swagger UI at `/docs`. Returns the table of all routes. */
export function serveOpenApi(app: INestApplication, version: string): RouteTable {
  app.use([...BESIDE.keys()], pageHeaders);
  const config = new DocumentBuilder()
    .setTitle('Tenure')
    .setDescription('Who holds what, since when, and why. Errors are application/problem+json (RFC 9457).')
    .setVersion(version)
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer('/')
    .addSecurity('key', {
      type: 'http',
      scheme: 'bearer',
      description: 'TENURE_ADMIN_KEY, or a key made with `tenure keys create`',
    })
    .addSecurity('user', {
      type: 'http',
      scheme: 'bearer',
      bearerFormat: 'JWT',
      description: 'A token of the identity provider that AUTH_JWKS_URL, AUTH_ISSUER and AUTH_AUDIENCE name',
    })
    .addSecurity('ticket', {
      type: 'apiKey',
      in: 'query',
      name: 'ticket',
      description: 'What stands in the path of an entry of `eventStreams`; it ends with the user token',
    })
    .build();
  const created = SwaggerModule.createDocument(app, config);
  created.paths[CHECK_PATH] = CHECK_DOCUMENT;
  const document = completeDocument(created);
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      operation.operationId = operationIdOf(method, path);
      operation.security ??= []; // said of open routes, too
    }
  }
  document.components = {
    ...document.components,
    schemas: {
      ...document.components?.schemas,
      Problem: {
        type: 'object',
        required: ['type', 'title', 'status', 'detail', 'code', 'requestId'],
        properties: {
          type: { type: 'string' },
          title: { type: 'string' },
          status: { type: 'integer' },
          detail: { type: 'string' },
          code: { type: 'string', enum: Object.keys(PROBLEMS) },
          requestId: { type: 'string' },
        },
      },
    },
  };
  SwaggerModule.setup('docs', app, document, { raw: ['json'], jsonDocumentUrl: 'openapi.json' });
  return RouteTable.of(document, BESIDE);
}

/** The id of an operation: made of method and path, so that it changes only where the route does (`getUsersByUserIdEntitlements`). */
export function operationIdOf(method: string, path: string): string {
  const words = path
    .replace(/^\/v\d+/, '')
    .split('/')
    .map((part) => part.replace(/^\{(\w)(\w*)\}$/, (_, first: string, rest: string) => `by-${first}${rest}`));
  return [
    method.toLowerCase(),
    ...words
      .join('-')
      .split('-')
      .filter((word) => word !== ''),
  ]
    .map((word, index) => (index === 0 ? word : `${word.charAt(0).toUpperCase()}${word.slice(1)}`))
    .join('');
}

/** What `sendReply` puts on answers, for those that Swagger's own handlers send; and the page is nobody's frame. */
function pageHeaders(request: Request, response: Response, next: NextFunction): void {
  response.setHeader('x-request-id', requestIdOf(request));
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('x-frame-options', 'DENY');
  response.setHeader('referrer-policy', 'no-referrer');
  next();
}
