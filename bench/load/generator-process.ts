import type { ChildProcess } from 'node:child_process';
import { forkTypeScript, nextMessage, stopChild } from '../support/child.js';
import { type Job, type Result, replySchema } from './protocol.js';

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

  stop(): Promise<void> {
    return stopChild(this.#child);
  }
}
