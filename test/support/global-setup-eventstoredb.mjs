/**
 * For the project with the log in EventStoreDB, beside what all share: one test server for its whole run, whose log others
 * use and grow too, as a real one's (TEST_EVENTSTORE_URL names a real one). Tests that stop or freeze a server have their own.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import setUpShared from './global-setup.mjs';

const REGISTER = new URL('./register-typescript.mjs', import.meta.url).href;
const SERVER = fileURLToPath(new URL('./eventstoredb/main.ts', import.meta.url));

export default async function setUp() {
  await setUpShared();
  if (process.env.TEST_EVENTSTORE_URL) {
    process.env.TENURE_TEST_EVENTSTORE_URL = process.env.TEST_EVENTSTORE_URL;
    return;
  }
  const child = spawn(process.execPath, ['--no-warnings', '--import', REGISTER, SERVER, '--shared'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout, 'data');
  process.env.TENURE_TEST_EVENTSTORE_URL = String(line).trim();
  globalThis.tenureTestEventStoreDb = child;
}
