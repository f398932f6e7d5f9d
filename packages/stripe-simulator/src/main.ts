import { parseArgs } from 'node:util';
import { Simulator } from './simulator.js';
import { addEndpoint } from './webhooks/webhook-endpoints.js';

const HELP = `A Stripe to develop and test against.

  npm run simulator -- [options]

  --port <n>        port to answer at (12111)
  --host <name>     address to answer at (127.0.0.1)
  --webhook <url>   post all snapshot events there
  --secret <whsec>  sign them with this secret (made up and printed when left out)
  --start <date>    begin at this time and stand still until moved; without it the clock goes with real time
  --seed <n>        same seed, same ids (1)
  --help            show this

Ask it with the stripe SDK: new Stripe('sk_test_anything', { host: '127.0.0.1', port: 12111, protocol: 'http' }).
What can be told to it beside the API is under /_simulator/: see packages/stripe-simulator/README.md.
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '12111' },
      host: { type: 'string', default: '127.0.0.1' },
      webhook: { type: 'string' },
      secret: { type: 'string' },
      start: { type: 'string' },
      seed: { type: 'string', default: '1' },
      help: { type: 'boolean', default: false },
    },
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
