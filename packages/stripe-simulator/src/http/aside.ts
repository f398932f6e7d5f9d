import { ApiError } from '../api-error.js';
import type { Router } from './router.js';
import type { Aside } from './server.js';

/** Answers what is under `/_simulator/`: JSON in, JSON out, and no key. */
export function answersAside(controls: Router): Aside {
  return async (request, url, body, response) => {
    if (!url.pathname.startsWith('/_simulator/')) return false;
    const answer = await outcome(async () => {
      const route = controls.find(request.method ?? 'GET', url.pathname);
      if (route === null) throw new ApiError(404, 'invalid_request_error', `There is no ${url.pathname}.`);
      const params: unknown = body === '' ? Object.fromEntries(url.searchParams) : JSON.parse(body);
      return await route.handle({ path: route.path, params });
    });
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer.body));
    return true;
  };
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
