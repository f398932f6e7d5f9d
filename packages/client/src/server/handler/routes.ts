import { userPath } from '../user-path.js';

/** How a route of the handler is asked of Tenure. */
export interface TenureRoute {
  readonly method: 'GET' | 'POST' | 'PATCH';
  /** Path at Tenure, of the user who is signed in. */
  readonly path: string;
  /** Parameters of the query that are handed on; all others are dropped. */
  readonly query: readonly string[];
  /** `signed-in`: the user's id is put into the body, whatever it says; `given`: it is handed on. */
  readonly body: 'none' | 'given' | 'signed-in';
  /** `stream` goes on; `own` is JSON with a `userId`, and is told to that user only. */
  readonly answer: 'plain' | 'stream' | 'own';
}

interface Template extends Omit<TenureRoute, 'path'> {
  /** The path below the handler's own. */
  readonly at: RegExp;
  readonly to: (user: string, parameter: string) => string;
}

const READ = { method: 'GET', query: [], body: 'none', answer: 'plain' } as const;
const TEMPLATES: readonly Template[] = [
  {
    ...READ,
    at: /^\/v1\/me\/entitlements$/,
    to: (user) => `${user}/entitlements`,
    query: ['minPosition', 'wait', 'version'],
  },
  {
    ...READ,
    at: /^\/v1\/me\/entitlements\/stream$/,
    to: (user) => `${user}/entitlements/stream`,
    query: ['minPosition'],
    answer: 'stream',
  },
  {
    ...READ,
    at: /^\/v1\/me\/features\/([\w:-]+)$/,
    to: (user, key) => `${user}/features/${key}`,
    query: ['amount'],
  },
  { ...READ, at: /^\/v1\/plans$/, to: () => '/v1/plans' },
  {
    ...READ,
    at: /^\/v1\/checkout\/sessions\/(\w+)$/,
    to: (_, id) => `/v1/checkout/sessions/${id}`,
    query: ['wait'],
    answer: 'own',
  },
  {
    ...READ,
    method: 'POST',
    at: /^\/v1\/checkout\/sessions$/,
    to: () => '/v1/checkout/sessions',
    body: 'signed-in',
  },
  {
    ...READ,
    method: 'POST',
    at: /^\/v1\/portal\/sessions$/,
    to: () => '/v1/portal/sessions',
    body: 'signed-in',
  },
  { ...READ, method: 'PATCH', at: /^\/v1\/me\/plan$/, to: (user) => `${user}/plan`, body: 'given' },
  { ...READ, method: 'POST', at: /^\/v1\/me\/token$/, to: (user) => `${user}/token` },
];

/** What a request to the handler asks of Tenure. `not_found`, or `method_not_allowed` on a path that has other methods. */
export function routeFor(
  method: string,
  path: string,
  userId: string,
): TenureRoute | 'not_found' | 'method_not_allowed' {
  const fitting = TEMPLATES.filter(({ at }) => at.test(path));
  const template = fitting.find((each) => each.method === method);
  if (template === undefined) return fitting.length === 0 ? 'not_found' : 'method_not_allowed';
  const { at, to, ...route } = template;
  const [, parameter = ''] = at.exec(path) ?? [];
  return { ...route, path: to(userPath(userId), parameter) };
}
