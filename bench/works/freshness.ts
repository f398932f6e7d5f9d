import type { Latency } from '../load/protocol.js';
import { limitRow, type WorkReport } from '../report.js';
import type { BenchContext } from '../support/bench-context.js';
import { catchUp } from '../support/catch-up.js';
import { countInLog } from '../support/service-log.js';

const WEBHOOKS_PER_SECOND = 300;
const CONNECTIONS = 32;
const P99_LIMIT_MS = 50;

/** How long after its commit a purchase shows in `GET entitlements`, while 300 webhooks come in every second. */
export async function benchFreshness(context: BenchContext): Promise<WorkReport> {
  const run = (tag: string, seconds: number) =>
    context.generator.run({
      kind: 'freshness',
      port: context.service.port,
      rate: WEBHOOKS_PER_SECOND,
      seconds,
      connections: CONNECTIONS,
      tag,
      secret: context.secret,
      adminKey: context.adminKey,
    });
  await run('freshwarm', context.effort.warmUpSeconds);
  await catchUp(context);
  await context.database.settle();
  const { visible, done, seconds, latency, generatorCpu } = await run(
    'freshx',
    context.effort.freshnessSeconds,
  );
  if (visible === null) throw new Error('the load generator watched nothing');
  const { events } = await countInLog(context.serviceDatabaseUrl, 'freshx');
  if (events !== done) throw new Error(`${events} events in the log, but ${done} were acknowledged`);
  context.say(
    `  freshness: ${visible.samples} purchases watched, p99 ${visible.sinceAnswer.p99.toFixed(1)} ms`,
  );
  const work = `committed → visible in GET, p99 at ${WEBHOOKS_PER_SECOND}/s`;
  return {
    rows: [limitRow({ work, ours: visible.sinceAnswer.p99, against: 'the limit', theirs: P99_LIMIT_MS })],
    notes: [
      { what: 'freshness: since the answer (commit)', value: describe(visible.sinceAnswer) },
      { what: 'freshness: since the webhook was due', value: describe(visible.sinceDue) },
      { what: 'freshness: answer to a webhook', value: describe(latency) },
      {
        what: 'freshness: load',
        value: `${done} webhooks in ${seconds.toFixed(1)} s, ${visible.samples} watched; generator ${generatorCpu.toFixed(2)} of a core`,
      },
    ],
  };
}

function describe(latency: Latency): string {
  return `p50 ${latency.p50.toFixed(1)} ms, p99 ${latency.p99.toFixed(1)} ms, most ${latency.max.toFixed(1)} ms`;
}
