import type { ChildProcess } from 'node:child_process';
import { forkTypeScript, nextMessage, stopChild } from '../support/child.js';
import { type LogJob, type LogResult, logReplySchema } from './protocol.js';

/** One side of the EventStoreDB works seen from the bench. Each has a process, so a connection, of its own. */
export class LogDriver {
  readonly #child: ChildProcess;

  /** `prefix` is what the names of all streams begin with that this driver is told of. */
  constructor(
    readonly side: 'port' | 'bare',
    url: string,
    prefix: string,
  ) {
    this.#child = forkTypeScript('log/log-driver.ts', {
      BENCH_LOG_SIDE: side,
      BENCH_EVENTSTORE_URL: url,
      BENCH_STREAM_PREFIX: prefix,
    });
  }

  /** @throws Error when an append failed or a read did not find what it must */
  async run(job: LogJob): Promise<LogResult> {
    const answer = nextMessage(this.#child, `the log driver (${this.side})`);
    this.#child.send(job);
    const reply = logReplySchema.parse(await answer);
    if ('error' in reply) throw new Error(`log driver (${this.side}): ${reply.error}`);
    return reply.result;
  }

  stop(): Promise<void> {
    return stopChild(this.#child);
  }
}
