/** The load generator, a process of its own: one job comes in as a message, one reply goes out. */
import { runClosedLoop } from './closed-loop.js';
import { runFreshness } from './freshness-loop.js';
import { requestBytes } from './http-connection.js';
import { runPacedReads } from './paced-loop.js';
import {
  type GeneratorReply,
  type Job,
  jobSchema,
  type ReadsJob,
  type Result,
  STOP,
  type WebhooksJob,
} from './protocol.js';
import { signedWebhooks } from './subscription-lives.js';

let stopping = new AbortController();

process.on('message', (message) => {
  if (message === STOP) stopping.abort();
  else void answer(message);
});

async function answer(message: unknown): Promise<void> {
  stopping = new AbortController();
  try {
    reply({ result: await run(jobSchema.parse(message)) });
  } catch (error) {
    reply({ error: error instanceof Error ? error.message : String(error) });
  }
}

function reply(message: GeneratorReply): void {
  process.send?.(message);
}

function run(job: Job): Promise<Result> {
  switch (job.kind) {
    case 'webhooks':
      return sendWebhooks(job);
    case 'reads':
      return read(job);
    case 'freshness':
      return runFreshness(job);
    case 'pacedReads':
      return runPacedReads(job, stopping.signal);
    default:
      return job satisfies never;
  }
}

function sendWebhooks(job: WebhooksJob): Promise<Result> {
  const requests = signedWebhooks(job);
  let index = 0;
  return runClosedLoop({ ...job, expectedStatus: 200, next: () => requests[index++] });
}

function read(job: ReadsJob): Promise<Result> {
  const requests = job.paths.map((path, at) => {
    const etag = job.etags[at];
    const condition = etag === undefined ? {} : { 'if-none-match': etag };
    const headers = { ...job.headers, ...condition };
    const body = job.bodies?.[at];
    if (body === undefined) return requestBytes('GET', path, headers, '');
    return requestBytes('POST', path, { ...headers, 'content-type': 'application/json' }, body);
  });
  let index = 0;
  return runClosedLoop({ ...job, next: () => requests[index++ % requests.length] });
}
