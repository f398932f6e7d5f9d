import { parseArgs } from 'node:util';
import { HELP, OPTIONS } from './command-line.js';
import { Simulator } from './simulator.js';
import { addEndpoint } from './webhooks/webhook-endpoints.js';

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: OPTIONS,
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const start = values.start === undefined ? null : Math.floor(Date.parse(values.start) / 1_000);
  if (start !== null && Number.isNaN(start)) throw new Error(`--start is no date: ${values.start}`);
  const simulator = await Simulator.start({
    port: Number(values.port),
    host: values.host,
    seed: Number(values.seed),
    ...(start === null ? {} : { start }),
  });
  process.stdout.write(`Stripe simulator at ${simulator.url}\n`);
  if (values.webhook !== undefined) {
    const wanted = { url: values.webhook, enabledEvents: ['*'], secret: values.secret };
    const { secret } = addEndpoint(simulator.account, simulator.webhooks, wanted);
    process.stdout.write(`Events go to ${values.webhook}, signed with ${secret}\n`);
  }
  if (start === null) await simulator.goWithRealTime();
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  await simulator.close();
  return 0;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`stripe-simulator: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 64;
  },
);
