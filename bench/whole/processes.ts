import type { ChildProcess } from 'node:child_process';
import { forkTypeScript, nextMessage, stopChild } from '../support/child.js';
import {
  GO,
  type LoadReply,
  loadReplySchema,
  type Received,
  receiverReplySchema,
  STOP,
  type WholeJob,
  type WholeLoad,
} from './protocol.js';

/** The load of the whole seen from the bench: see `load.ts`. */
export class WholeLoadProcess {
  readonly #child: ChildProcess = forkTypeScript('whole/load.ts');
  #reply: Promise<LoadReply> | null = null;

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Opens the streams. @throws Error when one was refused */
  async open(job: WholeJob): Promise<void> {
    const opened = this.#next();
    this.#child.send(job);
    const reply = await opened;
    if (!('ready' in reply)) throw new Error(`the load: ${'error' in reply ? reply.error : 'ended early'}`);
  }

  /** Sends for as long as `work` takes, and waits until every stream was told everything. @throws Error as soon as the load fails */
  async during(work: () => Promise<void>): Promise<WholeLoad> {
    this.#reply = this.#next();
    this.#child.send(GO);
    const early = this.#reply.then(failed);
    const working = work();
    working.catch(() => undefined); // what is under way when the load fails ends with the services
    await Promise.race([working, early]);
    this.#child.send(STOP);
    const reply = await this.#reply;
    if (!('done' in reply)) throw failed(reply);
    return reply.done;
  }

  stop(): Promise<void> {
    return stopChild(this.#child);
  }

  async #next(): Promise<LoadReply> {
    return loadReplySchema.parse(await nextMessage(this.#child, 'the load'));
  }
}

function failed(reply: LoadReply): never {
  throw new Error(`the load: ${'error' in reply ? reply.error : 'ended early'}`);
}

/** The receiver of outgoing webhooks seen from the bench: see `receiver.ts`. */
export class ReceiverProcess {
  readonly #child: ChildProcess = forkTypeScript('whole/receiver.ts');

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Where it listens. */
  async start(): Promise<string> {
    const reply = receiverReplySchema.parse(await nextMessage(this.#child, 'the receiver'));
    if (!('port' in reply)) throw new Error('the receiver did not say where it listens');
    return `http://127.0.0.1:${reply.port}/hooks`;
  }

  /** Tells it who signs, and which users count: `user_<tag>…`. */
  expect(secret: string, tag: string): void {
    this.#child.send({ secret, tag });
  }

  /** What came so far; with `all`, when each version came. */
  async received(ask: 'count' | 'all'): Promise<Received> {
    const answer = nextMessage(this.#child, 'the receiver');
    this.#child.send({ ask });
    const reply = receiverReplySchema.parse(await answer);
    if (!('taken' in reply)) throw new Error('the receiver answered something else');
    return reply;
  }

  stop(): Promise<void> {
    return stopChild(this.#child);
  }
}
