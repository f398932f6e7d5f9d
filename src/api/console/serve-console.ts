import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { NestExpressApplication } from '@nestjs/platform-express';
import express, { type NextFunction, type Request, type Response } from 'express';
import { ProblemError } from '../../http/problem.js';
import { requestIdOf } from '../../http/request-id.js';

const PATH = '/console';

/** Where a build puts the pages: beside the bundle that runs, or, for who runs the sources, in `dist`. */
const FOLDERS = ['./console/', '../../../dist/console/'].map((folder) =>
  fileURLToPath(new URL(folder, import.meta.url)),
);

/** What the pages may load and be part of (Content Security Policy Level 3): their own files, and this service. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * Serves the console of ops at `/console`: files alone, without a key, for all that they show is asked for with the key that
 * the person gives. Where nobody built it, the answer is 404 `not_found`, which says so.
 */
export function serveConsole(app: NestExpressApplication): void {
  app.use(PATH, pageHeaders);
  const folder = FOLDERS.find((each) => existsSync(`${each}index.html`));
  if (folder !== undefined) app.use(PATH, express.static(folder, { setHeaders: keepFor }));
  app.use(PATH, () => {
    throw new ProblemError(
      'not_found',
      folder === undefined ? 'The console is not built: npm run build.' : 'The console has no such file.',
    );
  });
}

function pageHeaders(request: Request, response: Response, next: NextFunction): void {
  response.setHeader('x-request-id', requestIdOf(request));
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('content-security-policy', POLICY);
  response.setHeader('referrer-policy', 'no-referrer');
  response.setHeader('cross-origin-opener-policy', 'same-origin');
  next();
}

/** Files whose names hold their hash never change; the page that names them is asked for anew. */
function keepFor(response: Response, file: string): void {
  const isHashed = /[\\/]assets[\\/]/.test(file);
  response.setHeader('cache-control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache');
}
