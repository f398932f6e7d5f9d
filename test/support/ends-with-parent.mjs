/** For a process that a test starts, with a pipe as its standard input: it ends when whoever holds the other end is gone, even killed. */
import { isMainThread } from 'node:worker_threads';

if (isMainThread) {
  process.stdin.on('close', () => process.kill(process.pid, 'SIGKILL'));
  process.stdin.resume();
  process.stdin.unref();
}
