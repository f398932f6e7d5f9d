import type { ChildProcess } from 'node:child_process';
import { forkTypeScript, nextMessage, stopChild } from '../support/child.js';
import { type Job, type PacedReadsJob, type Result, replySchema, STOP } from './protocol.js';

/** The load generator seen from the bench: a process of its own, so that it shares no event loop with anything. */
export class LoadGenerator {
  readonly #child: ChildProcess = forkTypeScript('load/generator.ts');

  /** @throws Error when an answer was not what the job expects, or the generator failed */
  async run(job: Job): Promise<Result> {
    const answer = nextMessage(this.#child, 'the load generator');
    this.#child.send(job);
    const reply = replySchema.parse(await answer);
    if ('error' in reply) throw new Error(`load generator: ${reply.error}`);
    const { unexpected } = reply.result;
    if (Object.keys(unexpected).length > 0) {
      throw new Error(`unexpected answers by status in ${job.kind}: ${JSON.stringify(unexpected)}`);
    }
    return reply.result;
  }

  /** Runs a job that has no end of its own for as long as `work` takes; gives what came of both. */
  async during<T>(job: PacedReadsJob, work: () => Promise<T>): Promise<readonly [Result, T]> {
    const result = this.run(job);
    try {
      const done = await work();
      this.#child.send(STOP);
      return [await result, done];
    } catch (error) {
      this.#child.send(STOP);
      await result.catch(() => undefined); // the fault of `work` came first
      throw error;
    }
  }

  stop(): Promise<void> {
    return stopChild(this.#child);
  }
}
