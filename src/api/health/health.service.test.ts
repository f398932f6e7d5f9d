import type { Pool } from 'pg';
import type { EventStore } from '../../event-store/event-store.js';
import type { ProjectionStatus } from '../../projections/engine/projection.js';
import { HealthService, type HealthServiceOptions } from './health.service.js';

const LEVEL: ProjectionStatus = {
  projection: 'entitlements',
  generation: 1,
  state: 'leading',
  handled: '5',
  scanned: '5',
  head: '5',
  lagEvents: 0,
  lagSeconds: 0,
  fault: null,
  outOfTouch: false,
  otherLeads: false,
  setAside: { streams: 0, users: 0 },
  batches: 1,
  eventsApplied: 5,
  faults: 0,
};
const FAULT = { position: '6', type: 'CustomerObserved', code: 'projector_failed', message: 'not with me' };

interface State {
  readonly status?: Partial<ProjectionStatus>;
  readonly silent?: number | Error;
  readonly limits?: Partial<Pick<HealthServiceOptions, 'lagLimitSeconds' | 'silenceLimitMinutes'>>;
  readonly mismatches?: number;
  readonly thin?: number;
  readonly replaced?: boolean;
  readonly treeDiffers?: boolean;
  readonly clockDiffers?: boolean;
  readonly storeIsAway?: true;
}

async function problems({
  status = {},
  silent = 0,
  limits = {},
  mismatches = 0,
  thin = 0,
  replaced = false,
  treeDiffers = false,
  clockDiffers = false,
  storeIsAway,
}: State) {
  const health = new HealthService({
    pool: { query: async () => undefined } as unknown as Pool,
    store: {
      head: async () => {
        if (storeIsAway) throw new Error('away');
        return '5';
      },
    } as unknown as EventStore,
    engine: { status: () => ({ ...LEVEL, ...status }) },
    webhooks: { livemodeMismatches: mismatches, thinWithoutKey: thin },
    logWatch: { replaced: replaced ? { since: new Date(), handled: '5', end: '3' } : null },
    heartbeat: {
      silentSeconds: async () => {
        if (silent instanceof Error) throw silent;
        return silent;
      },
    },
    clock: { differs: clockDiffers },
    tree: { isInconsistent: treeDiffers },
    eventStore: 'postgresql',
    lagLimitSeconds: 10,
    silenceLimitMinutes: 30,
    ...limits,
  });
  const { status: said, problems: named } = await health.report();
  return `${said} ${named.join()}`.trim();
}

describe('The health check', () => {
  it.each<[string, State, string]>([
    ['a level projection and a Stripe that delivers', {}, 'ready'],
    ['a lag within the limit', { status: { lagSeconds: 10 } }, 'ready'],
    ['a lag beyond it', { status: { lagSeconds: 10.5 } }, 'degraded projection_behind'],
    [
      'a lag within a limit that was set',
      { status: { lagSeconds: 50 }, limits: { lagLimitSeconds: 60 } },
      'ready',
    ],
    ['half an hour of silence', { silent: 1_800 }, 'ready'],
    ['more silence', { silent: 1_801 }, 'degraded webhooks_silent'],
    ['silence that nobody asked for', { silent: 1_801, limits: { silenceLimitMinutes: null } }, 'ready'],
    ['silence that nobody knows of', { silent: new Error('the database is away') }, 'ready'],
    ['a log that is not the one it knows', { replaced: true }, 'degraded log_replaced'],
    [
      'a log that does not go on from what was signed',
      { treeDiffers: true },
      'degraded audit_tree_inconsistent',
    ],
    ['thin events without a key', { thin: 1 }, 'degraded thin_events_need_api_key'],
    ['deliveries of the other mode', { mismatches: 1 }, 'degraded livemode_mismatch'],
    ['a fault', { status: { state: 'faulted', fault: FAULT } }, 'degraded projection_faulted'],
    ['a fault that another instance met', { status: { fault: FAULT } }, 'degraded projection_faulted'],
    ['a clock that is wrong', { clockDiffers: true }, 'not_ready clock_differs'],
    [
      'connections of its own that fail',
      { status: { outOfTouch: true } },
      'not_ready projection_out_of_touch',
    ],
    [
      'a stream that is set aside',
      { status: { setAside: { streams: 1, users: 0 } } },
      'degraded events_set_aside',
    ],
    ['a user who is marked', { status: { setAside: { streams: 0, users: 1 } } }, 'degraded events_set_aside'],
    ['a projection that starts', { status: { state: 'starting' } }, 'not_ready projection_starting'],
    ['a projection that is stopped', { status: { state: 'stopped' } }, 'not_ready projection_stopped'],
    ['a store that is away', { storeIsAway: true }, 'not_ready event_store_unavailable'],
    [
      'a store that is away and a fault',
      { storeIsAway: true, status: { state: 'faulted', fault: FAULT } },
      'not_ready event_store_unavailable,projection_faulted',
    ],
    [
      'all at once',
      { status: { state: 'faulted', fault: FAULT, lagSeconds: 99 }, silent: 9_999, mismatches: 2 },
      'degraded projection_faulted,projection_behind,livemode_mismatch,webhooks_silent',
    ],
  ])('says of %s what it is', async (_, state, expected) => {
    expect(await problems(state)).toBe(expected);
  });
});
