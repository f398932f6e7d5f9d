/** Options of the program, as `parseArgs` of Node reads them. */
export const OPTIONS = {
  port: { type: 'string', default: '12111' },
  host: { type: 'string', default: '127.0.0.1' },
  webhook: { type: 'string' },
  secret: { type: 'string' },
  start: { type: 'string' },
  seed: { type: 'string', default: '1' },
  help: { type: 'boolean', default: false },
} as const;

export const HELP = `A Stripe to develop and test against.

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
