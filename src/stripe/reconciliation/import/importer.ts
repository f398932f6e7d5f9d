import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import type { CommandResult, Origin } from '../../../commands/aggregate.js';
import { RecordCheckoutEvent } from '../../../commands/checkout.aggregate.js';
import { LinkCustomer, RecordCustomerEvent } from '../../../commands/customer.aggregate.js';
import { RecordPaymentEvent } from '../../../commands/payment.aggregate.js';
import type { Repositories } from '../../../commands/repositories.js';
import { RecordSubscriptionEvent } from '../../../commands/subscription.aggregate.js';
import type { EventStore } from '../../../event-store/event-store.js';
import type { StripeGateway } from '../../gateway/stripe.gateway.js';
import { isRefusedByStripe } from '../../gateway/stripe-lists.js';
import { alone } from '../alone.js';
import { AnswerAheadError, type AnswerReading } from '../answers.js';
import { inTurns } from '../in-turns.js';
import { KnownAccount, OtherAccountError } from '../known-account.js';
import { ImportUnderWayError, UnfinishedImportError } from './errors.js';
import type { ImportItem } from './import-item.js';
import { type ImportJob, ImportJobs } from './import-jobs.js';
import { listAfter, readPage } from './import-pages.js';
import { importReport } from './import-report.js';
import { noveltyOf } from './known.js';

export interface ImporterOptions extends AnswerReading {
  readonly pool: Pool;
  readonly store: Pick<EventStore, 'readPage'>;
  readonly repositories: Pick<Repositories, 'subscriptions' | 'customers' | 'checkouts' | 'payments'>;
  readonly gateway: Pick<StripeGateway, 'page' | 'object' | 'account'>;
  /** STRIPE_ACCOUNT; `null` where it is not set. */
  readonly stripeAccount: string | null;
  readonly streamPrefix: string;
  /** Unix ms. */
  readonly now: () => number;
  /** Hears of each step. */
  readonly onProgress: (job: ImportJob) => void;
  /** Ends the import between two steps; it can be gone on with. */
  readonly signal: AbortSignal;
}

/** Whose a customer is, as a file says it. */
export interface ImportLink {
  readonly customer: string;
  readonly userId: string;
}

/** What is asked of an import, and by whom. */
export interface AskedImport {
  readonly afterwards: ImportJob['afterwards'];
  readonly actor: string;
  readonly links: readonly ImportLink[];
}

const A_PAGE = 500;
/** Items that are let go of together. */
const A_STEP = 100;

/**
 * Brings the subscriptions, purchases, refunds, disputes and early fraud warnings of a Stripe account in (DESIGN 10): reads them all, reports what would hold, and records what
 * Stripe showed as retrieved. What was read is kept in the database until it is recorded, and every event has the key of its
 * import: killed at any moment, an import is gone on with and exact at the end.
 */
export class Importer {
  readonly #jobs: ImportJobs;
  readonly #account: KnownAccount;

  constructor(private readonly options: ImporterOptions) {
    this.#jobs = new ImportJobs(options.pool);
    this.#account = new KnownAccount(options.pool, options.gateway, options.stripeAccount);
  }

  /** The import that is not over, or else the last one; `null` when there was none. */
  latest(): Promise<ImportJob | null> {
    return this.#jobs.latest();
  }

  /** Begins an import of this id, which `resume` runs, or finds it. @throws ImportUnderWayError where another is not over */
  async begin(id: string, asked: AskedImport): Promise<ImportJob> {
    const links = asked.links.map((link) => linkItem(link, id));
    await this.#jobs.begin(id, asked, links);
    return this.#jobs.find(id);
  }

  /**
   * Goes on with the import that is not over, or begins one; comes back when it is over, or was told to end.
   * @throws ImportUnderWayError, UnfinishedImportError, StripeUnansweredError and what the stores throw: it can be gone on with
   */
  async run(asked: AskedImport): Promise<ImportJob> {
    return this.#alone(async () => {
      const latest = await this.#jobs.latest();
      const unfinished = latest?.finishedAt === null ? latest : null;
      if (unfinished?.afterwards === asked.afterwards) return this.#goOn(unfinished.id);
      if (unfinished?.afterwards === 'record') throw new UnfinishedImportError(unfinished.startedAt);
      if (unfinished !== null) await this.#jobs.end(unfinished.id, 'failed', 'an import took its place');
      return this.#goOn((await this.begin(randomUUID(), asked)).id);
    });
  }

  /** Goes on with the import that is not over. `null` where there is none. @throws as `run` */
  async resume(): Promise<ImportJob | null> {
    return this.#alone(async () => {
      const latest = await this.#jobs.latest();
      return latest === null || latest.finishedAt !== null ? null : this.#goOn(latest.id);
    });
  }

  async #goOn(id: string): Promise<ImportJob> {
    try {
      const account = await this.#account.check();
      await this.#read(id);
      await this.#record(id, account);
    } catch (error) {
      if (
        !(error instanceof OtherAccountError || error instanceof AnswerAheadError || isRefusedByStripe(error))
      ) {
        throw error;
      }
      await this.#jobs.end(id, 'failed', error.message);
    }
    return this.#jobs.find(id);
  }

  async #read(id: string): Promise<void> {
    const { pool, now, onProgress, signal } = this.options;
    for (;;) {
      const job = await this.#jobs.find(id);
      if (job.phase !== 'reading' || signal.aborted) return;
      onProgress(job);
      const page = await readPage({ ...this.options, job: id }, job.list, null, job.cursor);
      if (page !== null) await this.#jobs.read(id, job.list, page);
      if (page?.hasMore) continue;
      const next = listAfter(job.list);
      if (next !== null) {
        await this.#jobs.goOnTo(id, next);
        continue;
      }
      const report = await importReport(pool, this.#items(id), now());
      const { unusable: count } = await this.#jobs.find(id);
      const unusableObjects = { count, first: [...(await this.#jobs.unusable(id))] };
      const newEvents = job.afterwards === 'report' ? await this.#countNew(id) : null;
      if (signal.aborted) return;
      await this.#jobs.reported(id, { ...report, unusableObjects, newEvents });
    }
  }

  /** How many of the events that were read would be appended: one that was read twice once. Told to end it counts no further. */
  async #countNew(id: string): Promise<number> {
    const { store, streamPrefix, signal } = this.options;
    const counted = new Set<string>();
    for await (const page of this.#items(id)) {
      if (signal.aborted) break;
      const unheard = page.filter(({ causation }) => !counted.has(causation));
      const found = await inTurns(unheard, (item) => noveltyOf(store, streamPrefix, item));
      for (const [index, { causation }] of unheard.entries()) {
        if (found[index] === 'new') counted.add(causation);
      }
    }
    return counted.size;
  }

  async *#items(id: string): AsyncGenerator<readonly ImportItem[]> {
    let after = '0';
    for (;;) {
      const page = await this.#jobs.items(id, after, A_PAGE);
      yield page.map(({ item }) => item);
      after = page.at(-1)?.place ?? after;
      if (page.length < A_PAGE) return;
    }
  }

  async #record(id: string, account: string | null): Promise<void> {
    const { onProgress, signal } = this.options;
    for (;;) {
      const job = await this.#jobs.find(id);
      if (job.phase !== 'recording' || signal.aborted) return;
      onProgress(job);
      const page = await this.#jobs.items(id, '0', A_PAGE);
      if (page.length === 0) {
        await this.#account.remember(account);
        return this.#jobs.end(id, 'done', null);
      }
      for (let first = 0; first < page.length; first += A_STEP) {
        if (signal.aborted) return;
        const some = page.slice(first, first + A_STEP);
        const outcomes = await inTurns(some, ({ item }) => this.#recordOne(item, job));
        const recorded = outcomes.filter((outcome) => outcome === 'recorded').length;
        const counts = { recorded, unchanged: outcomes.length - recorded };
        await this.#jobs.recorded(
          id,
          some.map(({ place }) => place),
          counts,
        );
      }
    }
  }

  async #recordOne(item: ImportItem, { id, actor }: ImportJob): Promise<'recorded' | 'unchanged'> {
    const { store, repositories, streamPrefix, livemode } = this.options;
    const { event, causation, answeredAt, apiVersion } = item;
    const by = { actor, correlationId: id, causation };
    if (event.type === 'CustomerLinked') {
      const { customer, userId, reason } = event.data;
      const origin: Origin = { ...by, stripe: null };
      return said(await repositories.customers.execute(new LinkCustomer(customer, userId, reason, origin)));
    }
    const novelty = await noveltyOf(store, streamPrefix, item);
    if (novelty !== 'new') return novelty === 'held' ? 'recorded' : 'unchanged';
    const stripe = { eventId: null, eventType: null, created: answeredAt ?? 0, apiVersion, livemode };
    const origin = { ...by, stripe };
    switch (item.category) {
      case 'subscription':
        return said(
          await repositories.subscriptions.execute(new RecordSubscriptionEvent(item.id, event, origin)),
        );
      case 'customer':
        return said(await repositories.customers.execute(new RecordCustomerEvent(item.id, event, origin)));
      case 'checkout':
        return said(await repositories.checkouts.execute(new RecordCheckoutEvent(item.id, event, origin)));
      case 'payment':
        return said(await repositories.payments.execute(new RecordPaymentEvent(item.id, event, origin)));
    }
  }

  /** @throws ImportUnderWayError */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    return alone(this.options.pool, 'import', () => new ImportUnderWayError(), work);
  }
}

function linkItem({ customer, userId }: ImportLink, job: string): ImportItem {
  return {
    category: 'customer',
    id: customer,
    event: { type: 'CustomerLinked', data: { customer, userId, reason: 'import' } },
    causation: `import/${job}/${customer}`,
    answeredAt: null,
    apiVersion: null,
  };
}

function said({ outcome }: CommandResult): 'recorded' | 'unchanged' {
  return outcome === 'applied' ? 'recorded' : 'unchanged';
}
