import { jsonReply, Reply } from '../../http/reply.js';
import { SharedAnswer } from '../../http/shared-answer.js';
import type { Metrics } from '../../observability/metrics.js';
import type { HealthService } from './health.service.js';

/** How long an answer is told that anybody may ask for, in milliseconds. */
export const KEPT_MS = 1_000;
/** DI token of how long it is told in this process. */
export const ANSWERS_KEPT_MS = Symbol('ANSWERS_KEPT_MS');

/**
 * What is told without a key and costs a look into the database or the whole registry: looked at once for all who ask at
 * once, and told for `keptMs`, so that asking often costs no more than asking.
 */
export class OpenAnswers {
  readonly #ready: SharedAnswer<Reply>;
  readonly #scrape: SharedAnswer<Reply>;

  constructor(health: HealthService, { registry }: Metrics, keptMs: number) {
    this.#ready = new SharedAnswer(async () => {
      const report = await health.report();
      return jsonReply(report.status === 'not_ready' ? 503 : 200, report);
    }, keptMs);
    this.#scrape = new SharedAnswer(async () => {
      const headers = { 'content-type': registry.contentType, 'cache-control': 'no-store' };
      return new Reply(200, headers, await registry.metrics());
    }, keptMs);
  }

  ready(): Promise<Reply> {
    return this.#ready.get();
  }

  metrics(): Promise<Reply> {
    return this.#scrape.get();
  }
}
