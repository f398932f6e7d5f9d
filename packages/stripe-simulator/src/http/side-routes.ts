import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApiError } from '../api-error.js';
import type { PageAnswer } from '../pages/checkout-page.js';
import type { Router } from './router.js';
import type { SideRoutes } from './server.js';

/** Pages by the beginning of their path; `null` for a path that is none. */
export type Pages = (
  method: string,
  path: string,
  body: string,
  query: URLSearchParams,
) => Promise<PageAnswer | null>;

/** Answers what is none of the API's: `/_simulator/` with JSON in and out and no key, and pages for browsers. */
export function sideRoutes(controls: Router, pages: Pages): SideRoutes {
  return async (request, url, body, response) => {
    if (url.pathname.startsWith('/_simulator/')) {
      await control(controls, request, url, body, response);
      return true;
    }
    const answer = await pages(request.method ?? 'GET', url.pathname, body, url.searchParams);
    if (answer === null) return false;
    if ('location' in answer) response.writeHead(answer.status, { location: answer.location }).end();
    else response.writeHead(answer.status, { 'content-type': 'text/html; charset=utf-8' }).end(answer.html);
    return true;
  };
}

async function control(
  controls: Router,
  request: IncomingMessage,
  url: URL,
  body: string,
  response: ServerResponse,
): Promise<void> {
  const answer = await outcome(async () => {
    const route = controls.find(request.method ?? 'GET', url.pathname);
    if (route === null) throw new ApiError(404, 'invalid_request_error', `There is no ${url.pathname}.`);
    const params: unknown = body === '' ? Object.fromEntries(url.searchParams) : JSON.parse(body);
    return await route.handle({ path: route.path, params });
  });
  response.writeHead(answer.status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(answer.body));
}

async function outcome(
  run: () => Promise<object>,
): Promise<{ readonly status: number; readonly body: object }> {
  try {
    return { status: 200, body: await run() };
  } catch (error) {
    if (error instanceof ApiError) return { status: error.status, body: error.body('req_simulator') };
    const message = error instanceof Error ? error.message : String(error);
    return { status: 400, body: new ApiError(400, 'invalid_request_error', message).body('req_simulator') };
  }
}
