import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import type { Repositories } from '../../../commands/repositories.js';
import type { EventStore } from '../../../event-store/event-store.js';
import type { StripeGateway } from '../../gateway/stripe.gateway.js';
import { isRefusedByStripe } from '../../gateway/stripe-lists.js';
import type { TranslationOptions } from '../../translate/stripe-event.translator.js';
import { alone } from '../alone.js';
import { AnswerAheadError } from '../answers.js';
import { KnownAccount, OtherAccountError } from '../known-account.js';
import { Drift } from './drift-report.js';
import { ReconciliationUnderWayError } from './errors.js';
import { recordMissedEvents } from './missed-events.js';
import {
  type AskedReconciliation,
  type Looked,
  type ReconciliationJob,
  ReconciliationJobs,
} from './reconciliation-jobs.js';
import { Recorder } from './recorder.js';
import { Sweep } from './sweep.js';

export interface ReconciliationOptions {
  readonly pool: Pool;
  readonly store: Pick<EventStore, 'readPage'>;
  readonly repositories: Pick<Repositories, 'subscriptions' | 'customers' | 'checkouts' | 'payments'>;
  readonly gateway: Pick<StripeGateway, 'page' | 'object' | 'account'>;
  readonly streamPrefix: string;
  readonly livemode: boolean;
  readonly translation: TranslationOptions;
  /** Hears of each step. */
  readonly onProgress: (looked: Looked) => void;
  /** Ends it between two steps; it can be gone on with. */
  readonly signal: AbortSignal;
}

const DAY_S = 86_400;
/** Stripe lists its events so long (Stripe: "List all events"), a day left out. */
const EVENTS_ARE_KEPT_S = 29 * DAY_S;
/** Disputes and refunds this old are settled, or their events are among those that were looked through. */
const PAYMENTS_MOVE_S = 180 * DAY_S;

/**
 * The second (Unix) from which on disputes, refunds and warnings are looked at once more, where they were up to the second
 * `before`; `null`: all, as what happened since then to older ones is no longer among Stripe's events. Pure.
 */
export function paymentsFrom(before: number | null, now: number): number | null {
  return before === null || now - before > EVENTS_ARE_KEPT_S ? null : Math.max(0, before - PAYMENTS_MOVE_S);
}

/**
 * Makes the log agree with Stripe (DESIGN 5.4): records every event that it lacks, then compares every subscription. All that
 * it records counts once by its key, so that one which was killed is run again from its beginning, and webhooks go on.
 */
export class Reconciliation {
  readonly jobs: ReconciliationJobs;

  constructor(private readonly options: ReconciliationOptions) {
    this.jobs = new ReconciliationJobs(options.pool);
  }

  /**
   * Begins one, in the place of one that was left, and brings it to its end.
   * @throws ReconciliationUnderWayError where another process runs one; StripeUnansweredError and what the stores throw: it can be gone on with
   */
  run(asked: AskedReconciliation): Promise<ReconciliationJob> {
    return this.#alone(async () => {
      const left = await this.jobs.unfinished();
      if (left !== null) await this.jobs.failed(left.id, 'another took its place');
      return this.#toItsEnd(await this.jobs.begin(randomUUID(), asked));
    });
  }

  /** Goes on with the one that is not over. `null` where there is none. @throws as `run` */
  resume(): Promise<ReconciliationJob | null> {
    return this.#alone(async () => {
      const left = await this.jobs.unfinished();
      return left === null ? null : this.#toItsEnd(left);
    });
  }

  async #toItsEnd(job: ReconciliationJob): Promise<ReconciliationJob> {
    try {
      await this.#reconcile(job);
    } catch (error) {
      if (
        !(error instanceof OtherAccountError || error instanceof AnswerAheadError || isRefusedByStripe(error))
      ) {
        throw error;
      }
      await this.jobs.failed(job.id, error.message);
    }
    return (await this.jobs.find(job.id)) ?? job;
  }

  async #reconcile(job: ReconciliationJob): Promise<void> {
    const { translation, livemode, onProgress, pool, gateway } = this.options;
    const known = new KnownAccount(pool, gateway, translation.account);
    const account = await known.check();
    if (job.afterwards === 'record') await known.remember(account);
    const [drift, recorder] = [new Drift(), new Recorder({ ...this.options, job })];
    const looked = { events: 0, subscriptions: 0, purchases: 0, disputes: 0, refunds: 0, warnings: 0 };
    const before = await this.jobs.reconciledUntil();
    const note = (): Promise<void> => {
      onProgress(looked);
      return this.jobs.progress(job.id, looked);
    };
    const until = await recordMissedEvents({
      ...this.options,
      recorder,
      drift,
      since: before.events,
      onEvents: (count) => {
        looked.events += count;
        return note();
      },
    });
    await new Sweep({
      ...this.options,
      ...{ job, recorder, drift, livemode },
      claims: translation,
      paymentsFrom: paymentsFrom(before.payments, until),
      onLooked: (list, count) => {
        looked[list] += count;
        return note();
      },
    }).run();
    await this.jobs.done(job.id, drift.report, job.afterwards === 'record' ? until : null);
  }

  /** @throws ReconciliationUnderWayError */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    return alone(this.options.pool, 'reconciliation', () => new ReconciliationUnderWayError(), work);
  }
}
