import { once } from 'node:events';
import tearDownShared from './global-teardown.mjs';

export default async function tearDown() {
  await tearDownShared();
  const child = globalThis.tenureTestEventStoreDb;
  if (child === undefined) return;
  const ended = once(child, 'close');
  child.kill('SIGTERM');
  await ended;
}
