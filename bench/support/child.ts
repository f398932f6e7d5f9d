import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const LOADER = new URL('../../test/support/register-typescript.mjs', import.meta.url).href;

/**
 * Node's flags for every side that is measured, the same as `npm start` gives: two halves of 16 MB for young objects. More
 * would copy a little less of what lives for some milliseconds, and take twice as much in every thread.
 */
export const NODE_FLAGS: readonly string[] = ['--max-semi-space-size=16'];

/** What a process of Node's is begun with, beside a pipe as its standard input: it ends when the bench does, even killed. */
export const ENDS_WITH_BENCH: readonly string[] = [
  '--import',
  new URL('../../test/support/ends-with-parent.mjs', import.meta.url).href,
];

/** What lets `node` run a TypeScript file of this repository, with the flags above. */
export const TYPESCRIPT_FLAGS: readonly string[] = [
  ...NODE_FLAGS,
  ...ENDS_WITH_BENCH,
  '--import',
  LOADER,
  '--no-warnings',
];

/** Starts a TypeScript file of the bench as a process of its own, with a message channel. */
export function forkTypeScript(file: string, env: NodeJS.ProcessEnv = {}): ChildProcess {
  const path = fileURLToPath(new URL(`../${file}`, import.meta.url));
  return fork(path, [], {
    execArgv: [...TYPESCRIPT_FLAGS],
    env: { ...process.env, NODE_ENV: 'production', ...env },
    stdio: ['pipe', 'inherit', 'inherit', 'ipc'],
  });
}

/** The next message of a child; rejects when it ends instead. */
export function nextMessage(child: ChildProcess, name: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void => {
      child.off('message', came);
      reject(new Error(`${name} ended with code ${code}`));
    };
    const came = (message: unknown): void => {
      child.off('exit', ended);
      resolve(message);
    };
    child.once('exit', ended);
    child.once('message', came);
  });
}

/** The process id of a child that was begun. */
export function pidOf({ pid }: ChildProcess): number {
  if (pid === undefined) throw new Error('a process could not be begun');
  return pid;
}

/** How long a child may take to end in order, in milliseconds; then it is killed. */
const ENDS_WITHIN_MS = 20_000;

/** Asks a child to end with SIGTERM and waits for it. */
export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), ENDS_WITHIN_MS);
  await ended;
  clearTimeout(late);
}
