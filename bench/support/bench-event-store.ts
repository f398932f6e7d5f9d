import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseConnectionString } from '../../src/config/connection-string.js';
import { stopChild, TYPESCRIPT_FLAGS } from './child.js';

const TEST_SERVER = fileURLToPath(new URL('../../test/support/eventstoredb/main.ts', import.meta.url));

/** The EventStoreDB that both sides of a run share. */
export interface BenchEventStore {
  readonly url: string;
  /** What is printed and recorded about it; holds no password. */
  readonly description: string;
  stop(): Promise<void>;
}

/** Uses the server at `url`, else starts the repository's test server as a process of its own. */
export async function benchEventStore(url: string | null): Promise<BenchEventStore> {
  if (url === null) return startTestServer();
  const { nodes } = parseConnectionString(url);
  const endpoints = nodes.kind === 'single' ? [nodes.endpoint] : nodes.endpoints;
  const hosts = endpoints.map(({ address, port }) => `${address}:${port}`).join(', ');
  return { url, description: `the EventStoreDB at ${hosts}`, stop: async () => undefined };
}

async function startTestServer(): Promise<BenchEventStore> {
  const child = spawn(process.execPath, [...TYPESCRIPT_FLAGS, TEST_SERVER], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  const [url] = await Promise.race([
    once(lines, 'line'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`the EventStoreDB test server ended with code ${code}`);
    }),
  ]);
  return {
    url: String(url),
    description:
      'the test server of this repository, its log in memory: these rows mostly measure that server, not an EventStoreDB',
    stop: () => stopChild(child),
  };
}
