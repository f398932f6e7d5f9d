import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { built, compiled } from './compiled.js';
import { until } from './until.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Longer than any start takes on a machine that has other things to do: a process that ends is noticed at once. */
const READY_WITHIN_MS = 240_000;
/** So much of what a process said is shown when it should not have ended, in characters. */
const SAID_AT_THE_END = 2_000;

/** For a process that lives for seconds: it is over before code that was made faster has paid for that. */
export const SHORT_LIVED = ['--no-opt', '--no-sparkplug'] as const;
/** At the soak's size processes work for minutes. */
const SIZES = ['REBUILD_EVENTS', 'CRASH_EVENTS', 'AUDIT_READ_EVENTS'];
const FLAGS = SIZES.every((name) => process.env[name] === undefined) ? SHORT_LIVED : [];

/** How a process ended and what it said. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a process runs: see `built` and `compiled`. */
export interface Program {
  /** The JavaScript that it begins with. */
  readonly file: string;
  readonly args?: readonly string[];
}

/** A program of this repository, the service unless said otherwise, as a process of its own. */
export class ServiceProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<Ended>;
  readonly #said = { stdout: '', stderr: '' };

  /** @param environment all that it gets, apart from the PATH */
  constructor(
    environment: Readonly<Record<string, string>>,
    { file, args = [] }: Program = { file: built('main') },
  ) {
    const before = ['--import', compiled('test/support/ends-with-parent.mjs')];
    this.#child = spawn(process.execPath, ['--no-warnings', ...FLAGS, ...before, file, ...args], {
      cwd: ROOT,
      env: { PATH: process.env.PATH ?? '', ...environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const said = this.#said;
    this.#child.stdout?.on('data', (chunk) => {
      said.stdout += String(chunk);
    });
    this.#child.stderr?.on('data', (chunk) => {
      said.stderr += String(chunk);
    });
    this.#ended = once(this.#child, 'close').then(() => ({
      code: this.#child.exitCode,
      signal: this.#child.signalCode,
      ...said,
    }));
  }

  /** `null` where it could not be started. */
  get pid(): number | null {
    return this.#child.pid ?? null;
  }

  /** What it has said on stderr until now. */
  get complaints(): string {
    return this.#said.stderr;
  }

  get ended(): Promise<Ended> {
    return this.#ended;
  }

  /** Waits until `/health/ready` at `url` says so. Throws with what it said when it ends instead. */
  async isReady(url: string): Promise<void> {
    await until(
      `${url} is ready`,
      async () => {
        if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
          const { code, signal, stdout, stderr } = await this.#ended;
          const said = `${stdout}${stderr}`.slice(-SAID_AT_THE_END);
          throw new Error(`the service ended with ${code ?? signal}, and said at the end: ${said}`);
        }
        return fetch(`${url}/health/ready`).then(
          ({ status }) => status === 200,
          () => false,
        );
      },
      READY_WITHIN_MS,
    );
  }

  /** Sends the signal and waits until the process is gone. Fine on one that has ended. */
  kill(signal: NodeJS.Signals): Promise<Ended> {
    this.#child.kill(signal);
    return this.#ended;
  }
}

/** A port of 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
