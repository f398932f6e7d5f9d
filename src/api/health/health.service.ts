import type { Pool } from 'pg';
import type { z } from 'zod';
import type { EventStore } from '../../event-store/event-store.js';
import type { Projection } from '../../projections/engine/projection.js';
import type { WebhookService } from '../../webhooks/webhook.service.js';
import type { readyResponse } from '../schemas.js';

const CHECK_WITHIN_MS = 2_000;
/** Behind for longer than this is worth a look, not worth taking the instance away. */
const LAG_LIMIT_SECONDS = 10;

export type ReadyReport = z.infer<typeof readyResponse>;

/** Looks whether this instance can do its work. */
export class HealthService {
  constructor(
    private readonly pool: Pool,
    private readonly store: EventStore,
    private readonly engine: Projection,
    private readonly webhooks: WebhookService,
    private readonly eventStore: ReadyReport['eventStore'],
  ) {}

  /** `not_ready` when it cannot answer rightly; `degraded` when someone should look. */
  async report(): Promise<ReadyReport> {
    const [database, eventStore] = await Promise.all([
      answers(this.pool.query('select 1')),
      answers(this.store.head()),
    ]);
    const status = this.engine.status();
    const runs = status.state === 'leading' || status.state === 'standby';
    const fatal = [
      ...(database ? [] : ['database_unavailable']),
      ...(eventStore ? [] : ['event_store_unavailable']),
      ...(runs ? [] : [`projection_${status.state}`]),
      ...(status.fault === null || status.state === 'faulted' ? [] : ['projection_faulted']),
    ];
    const worth = [
      ...(status.lagSeconds > LAG_LIMIT_SECONDS ? ['projection_behind'] : []),
      ...(this.webhooks.livemodeMismatches > 0 ? ['livemode_mismatch'] : []),
    ];
    return {
      status: fatal.length > 0 ? 'not_ready' : worth.length > 0 ? 'degraded' : 'ready',
      problems: [...fatal, ...worth],
      eventStore: this.eventStore,
      projection: {
        state: status.state,
        position: status.handled,
        head: status.head,
        lagEvents: status.lagEvents,
        lagSeconds: status.lagSeconds,
        fault: status.fault,
      },
    };
  }
}

/** Whether a question is answered in time; the fault itself is not for the outside. */
async function answers(question: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), CHECK_WITHIN_MS);
  });
  try {
    return await Promise.race([
      question.then(
        () => true,
        () => false,
      ),
      late,
    ]);
  } finally {
    clearTimeout(timer);
  }
}
