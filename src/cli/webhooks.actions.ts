import { randomUUID } from 'node:crypto';
import { endpointView } from '../api/ops/webhook-endpoints.views.js';
import { SealedSecrets } from '../auth/sealed-secrets.js';
import { loadOutgoingSettings } from '../config/part-settings.js';
import { ServerClock } from '../database/server-clock.js';
import { ProblemError } from '../http/problem.js';
import { VERSION } from '../observability/version.js';
import { type Endpoint, faultOfUrl } from '../reactions/webhooks/endpoint.js';
import { EndpointRepository, listEndpoints } from '../reactions/webhooks/endpoint.repository.js';
import { testMessage } from '../reactions/webhooks/envelope.js';
import type { BulkSource, MessageType } from '../reactions/webhooks/message-types.js';
import { MessageSender } from '../reactions/webhooks/sender.js';
import type { JsonOption } from './arguments.js';
import { EXIT } from './exit-codes.js';
import { withServicePool } from './service-pool.js';
import { operator, show, type Terminal, table } from './terminal.js';

export interface AddOptions extends JsonOption {
  readonly type?: readonly MessageType[];
  readonly bulk?: readonly BulkSource[];
  readonly description: string;
}

/** `tenure webhooks list`. */
export async function listWebhooks(terminal: Terminal, options: JsonOption): Promise<void> {
  const listed = await withServicePool(terminal, 'read', ({ pool }) => listEndpoints(pool));
  const endpoints = listed.map(endpointView);
  const rows = endpoints.map(({ id, state, types, bulk, createdAt, url, description }) => [
    id,
    state,
    types?.join(',') ?? 'all',
    bulk.join(',') || '-',
    createdAt,
    url,
    description,
  ]);
  const headings = ['ENDPOINT', 'STATE', 'TYPES', 'BULK', 'CREATED', 'URL', 'DESCRIPTION'];
  show(terminal, options, { endpoints }, [table(headings, rows)]);
}

/** `tenure webhooks add`. @throws ProblemError `url_not_allowed` */
export async function addWebhook(terminal: Terminal, url: string, options: AddOptions): Promise<void> {
  const fault = faultOfUrl(url, loadOutgoingSettings(terminal.environment).webhookAddresses);
  if (fault !== null) throw new ProblemError('url_not_allowed', fault);
  const { description, type: types = null, bulk = [] } = options;
  await withEndpoints(terminal, async ({ endpoints }) => {
    const id = `whe_${randomUUID()}`;
    const asked = { id, url, description, types, bulk, createdBy: operator(terminal) };
    showSecret(terminal, options, found(await endpoints.create(asked)));
  });
}

/** `tenure webhooks remove`. @throws ProblemError `not_found` */
export async function removeWebhook(terminal: Terminal, id: string, options: JsonOption): Promise<void> {
  await withEndpoints(terminal, async ({ endpoints }) => {
    if (!(await endpoints.remove(id))) found(null);
    show(terminal, options, { id, removed: true }, [`${id} is removed`]);
  });
}

/** `tenure webhooks rotate`. @throws ProblemError `not_found` */
export async function rotateWebhook(terminal: Terminal, id: string, options: JsonOption): Promise<void> {
  await withEndpoints(terminal, async ({ endpoints }) =>
    showSecret(terminal, options, found(await endpoints.rotate(id))),
  );
}

/** `tenure webhooks test`. @throws ProblemError `not_found` */
export async function testWebhook(terminal: Terminal, id: string, options: JsonOption): Promise<void> {
  await withEndpoints(terminal, async ({ endpoints, sender }) => {
    const message = testMessage(id);
    const outcome = await sender.test(found(await endpoints.find(id)), message);
    const { delivered, answered, failure, milliseconds } = outcome;
    const how = delivered ? `was taken with ${answered}` : `did not arrive: ${failure}`;
    show(terminal, options, { id: message.id, ...outcome }, [
      `webhook.test ${message.id} ${how} (${milliseconds} ms)`,
    ]);
    if (!delivered) terminal.exitWith(EXIT.no);
  });
}

interface Outgoing {
  readonly endpoints: EndpointRepository;
  readonly sender: MessageSender;
}

function withEndpoints(terminal: Terminal, work: (outgoing: Outgoing) => Promise<void>): Promise<void> {
  const { adminKeys, webhookAddresses: addresses } = loadOutgoingSettings(terminal.environment);
  return withServicePool(terminal, 'write', async ({ pool }) => {
    const clock = new ServerClock({ pool });
    await clock.measure();
    const secrets = new SealedSecrets(adminKeys);
    const endpoints = new EndpointRepository({ pool, secrets, now: () => clock.now() });
    await work({ endpoints, sender: new MessageSender({ addresses, endpoints, version: VERSION }) });
  });
}

function showSecret(
  terminal: Terminal,
  options: JsonOption,
  { endpoint, secret }: { readonly endpoint: Endpoint; readonly secret: string },
): void {
  if (options.json !== true) terminal.err(`tenure: the secret of ${endpoint.id} is shown this once:\n`);
  show(terminal, options, { ...endpointView(endpoint), secret }, [secret]);
}

function found<T>(endpoint: T | null): T {
  if (endpoint === null) throw new ProblemError('not_found', 'There is no such endpoint.');
  return endpoint;
}
