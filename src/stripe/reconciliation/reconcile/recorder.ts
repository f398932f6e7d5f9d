import type { CommandResult, StripeAnswerOrigin, StripeOrigin } from '../../../commands/aggregate.js';
import { RecordCheckoutEvent } from '../../../commands/checkout.aggregate.js';
import { RecordCustomerEvent } from '../../../commands/customer.aggregate.js';
import { RecordPaymentEvent } from '../../../commands/payment.aggregate.js';
import type { StripeStream } from '../../../commands/recording.js';
import type { Repositories } from '../../../commands/repositories.js';
import { RecordSubscriptionEvent } from '../../../commands/subscription.aggregate.js';
import type { EventStore } from '../../../event-store/event-store.js';
import { streamPages } from '../../../event-store/stream-pages.js';
import { parseEvent } from '../../../events/event-envelope.js';
import type { DomainEvent } from '../../../events/event-types.js';
import { streamName } from '../../../events/stream-names.js';
import type { ReconciliationJob } from './reconciliation-jobs.js';

export interface RecorderOptions {
  readonly store: Pick<EventStore, 'readPage'>;
  readonly repositories: Pick<Repositories, 'subscriptions' | 'customers' | 'checkouts' | 'payments'>;
  readonly streamPrefix: string;
  readonly job: Pick<ReconciliationJob, 'id' | 'afterwards'>;
}

/** What Stripe said, and the key by which it counts once. `actor` is who has it recorded. */
export interface Saying {
  readonly stream: StripeStream;
  readonly event: DomainEvent;
  readonly causation: string;
  readonly stripe: StripeOrigin | StripeAnswerOrigin;
  readonly actor: string;
}

/** Records what the log lacks; in a dry run it only looks whether it does. */
export class Recorder {
  constructor(private readonly options: RecorderOptions) {}

  /** Whether the log lacked it. */
  async lacked(saying: Saying): Promise<boolean> {
    if (this.options.job.afterwards === 'report') return !(await this.#holds(saying));
    return (await this.#record(saying)).outcome === 'applied';
  }

  async #holds({ stream, causation }: Saying): Promise<boolean> {
    const { store, streamPrefix } = this.options;
    for await (const page of streamPages(store, streamName(streamPrefix, stream), 0)) {
      if (page.some((stored) => parseEvent(stored).metadata.causationId === causation)) return true;
    }
    return false;
  }

  #record({ stream, event, causation, stripe, actor }: Saying): Promise<CommandResult> {
    const { repositories, job } = this.options;
    const origin = { actor, correlationId: job.id, causation, stripe };
    switch (stream.category) {
      case 'subscription':
        return repositories.subscriptions.execute(new RecordSubscriptionEvent(stream.id, event, origin));
      case 'customer':
        return repositories.customers.execute(new RecordCustomerEvent(stream.id, event, origin));
      case 'checkout':
        return repositories.checkouts.execute(new RecordCheckoutEvent(stream.id, event, origin));
      case 'payment':
        return repositories.payments.execute(new RecordPaymentEvent(stream.id, event, origin));
    }
  }
}
