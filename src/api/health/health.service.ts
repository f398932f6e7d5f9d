import type { Pool } from 'pg';
import type { z } from 'zod';
import type { TreeKeeper } from '../../audit/tree/tree-keeper.js';
import type { ServerClock } from '../../database/server-clock.js';
import type { EventStore } from '../../event-store/event-store.js';
import { inTime } from '../../observability/in-time.js';
import { VERSION } from '../../observability/version.js';
import type { LogWatch } from '../../projections/engine/log-watch.js';
import type { Projection } from '../../projections/engine/projection.js';
import type { DeliveryHeartbeat } from '../../webhooks/delivery-heartbeat.js';
import type { WebhookService } from '../../webhooks/webhook.service.js';
import type { readyResponse } from '../schemas.js';

const CHECK_WITHIN_MS = 2_000;

export type ReadyReport = z.infer<typeof readyResponse>;

export interface HealthServiceOptions {
  readonly pool: Pool;
  readonly store: EventStore;
  readonly engine: Pick<Projection, 'status'>;
  readonly webhooks: Pick<WebhookService, 'livemodeMismatches' | 'thinWithoutKey'>;
  readonly heartbeat: Pick<DeliveryHeartbeat, 'silentSeconds'>;
  readonly logWatch: Pick<LogWatch, 'replaced'>;
  readonly clock: Pick<ServerClock, 'differs'>;
  readonly tree: Pick<TreeKeeper, 'isInconsistent'>;
  readonly eventStore: ReadyReport['eventStore'];
  /** Behind for longer than this is worth a look, not worth taking the instance away. */
  readonly lagLimitSeconds: number;
  /** So is silence of Stripe for longer than this; `null`: it is not looked at. */
  readonly silenceLimitMinutes: number | null;
  /** Whether user ids of the read models were lost without an erasure; `null` or left out: there are no pseudonyms. */
  readonly lostUserIds?: (() => Promise<boolean>) | null;
}

/** Looks whether this instance can do its work. */
export class HealthService {
  constructor(private readonly options: HealthServiceOptions) {}

  /**
   * `not_ready` is about this instance: it cannot read or store (DESIGN 12). `degraded` is what someone should look at: what
   * all instances share is never more than that, because taking every one of them away would turn a stop into an outage.
   */
  async report(): Promise<ReadyReport> {
    const { pool, store, engine, webhooks, logWatch, tree, lagLimitSeconds } = this.options;
    const [database, eventStore, isSilent, lostUserIds] = await Promise.all([
      answers(pool.query('select 1')),
      answers(store.head()),
      this.#isSilent(),
      this.#hasLostUserIds(),
    ]);
    const status = engine.status();
    const isUnderWay = status.state === 'starting' || status.state === 'stopped';
    const fatal = [
      ...(database ? [] : ['database_unavailable']),
      ...(eventStore ? [] : ['event_store_unavailable']),
      ...(isUnderWay ? [`projection_${status.state}`] : []),
      ...(this.options.clock.differs ? ['clock_differs'] : []),
      ...(status.outOfTouch ? ['projection_out_of_touch'] : []),
    ];
    const worth = [
      ...(logWatch.replaced === null ? [] : ['log_replaced']),
      ...(tree.isInconsistent ? ['audit_tree_inconsistent'] : []),
      ...(status.fault === null && status.state !== 'faulted' ? [] : ['projection_faulted']),
      ...(status.setAside.streams + status.setAside.users > 0 ? ['events_set_aside'] : []),
      ...(status.lagSeconds > lagLimitSeconds ? ['projection_behind'] : []),
      ...(webhooks.livemodeMismatches > 0 ? ['livemode_mismatch'] : []),
      ...(webhooks.thinWithoutKey > 0 ? ['thin_events_need_api_key'] : []),
      ...(isSilent ? ['webhooks_silent'] : []),
      ...(lostUserIds ? ['pseudonyms_missing'] : []),
    ];
    return {
      status: fatal.length > 0 ? 'not_ready' : worth.length > 0 ? 'degraded' : 'ready',
      version: VERSION,
      problems: [...fatal, ...worth],
      eventStore: this.options.eventStore,
      projection: {
        state: status.state,
        position: status.handled,
        head: status.head,
        lagEvents: status.lagEvents,
        lagSeconds: status.lagSeconds,
        fault: status.fault,
        setAside: status.setAside,
      },
    };
  }

  async #hasLostUserIds(): Promise<boolean> {
    const { lostUserIds = null } = this.options;
    return lostUserIds !== null && (await inTime(lostUserIds(), CHECK_WITHIN_MS)) === true;
  }

  /** Nobody knows while the database does not answer, which is a problem of its own. */
  async #isSilent(): Promise<boolean> {
    const { heartbeat: contact, silenceLimitMinutes } = this.options;
    if (silenceLimitMinutes === null) return false;
    const seconds = await inTime(contact.silentSeconds(), CHECK_WITHIN_MS);
    return seconds !== null && seconds > silenceLimitMinutes * 60;
  }
}

/** Whether a question is answered in time; the fault itself is not for the outside. */
async function answers(question: Promise<unknown>): Promise<boolean> {
  const answered = question.then(() => 'answered');
  return (await inTime(answered, CHECK_WITHIN_MS)) !== null;
}
