import { Gauge, type Registry } from 'prom-client';
import type { Metrics } from './metrics.js';

/** How many users have something that somebody should look at, and how much that was done by hand does nothing. */
export interface AttentionCounts {
  readonly unmappedPrices: number;
  readonly adoptedPrices: number;
  readonly pendingPayments: number;
  readonly pendingWithoutInvoice: number;
  readonly grantsWithoutEffect: number;
  readonly overridesWithoutEffect: number;
}

/** What the projection shows of itself. `lagEvents` is in positions of the log; `null` is shown as no value at all. */
export interface ProjectionFigures {
  readonly position: number;
  /** The generation that is read. */
  readonly generation: number | null;
  readonly lagEvents: number;
  readonly lagSeconds: number;
  readonly isFaulted: boolean;
  readonly isRunning: boolean;
  readonly faultPosition: number | null;
  /** Streams of which events are set aside. */
  readonly setAsideStreams: number;
  /** Users who are marked for it, or who cannot be judged. */
  readonly faultedUsers: number;
  /** Faults met since the start. */
  readonly faults: number;
}

/** How far a build is: the part of the log behind it (0 to 1), events folded, and its mean rate since it began. */
export interface RebuildFigures {
  readonly part: number;
  readonly events: number;
  readonly eventsPerSecond: number;
}

/** Shows the projection's figures, asked for at every scrape. */
export function watchProjection({ registry }: Metrics, figures: () => ProjectionFigures): void {
  gauges(registry, async () => figures(), [
    ['tenure_projection_position', 'Position of the last event applied.', (f) => f.position],
    ['tenure_projection_generation', 'Number of the generation that is read.', (f) => f.generation],
    ['tenure_projection_lag_events', 'Positions not applied yet.', (f) => f.lagEvents],
    ['tenure_projection_lag_seconds', 'How long the projection has been behind.', (f) => f.lagSeconds],
    ['tenure_projection_faulted', '1 while stopped at a fault.', (f) => Number(f.isFaulted)],
    [
      'tenure_projection_fault_position',
      'Position of the event that the projection stands at; no value while it stands at none.',
      (f) => f.faultPosition,
    ],
    [
      'tenure_projection_set_aside_streams',
      'Streams of which events are set aside.',
      (f) => f.setAsideStreams,
    ],
    [
      'tenure_projection_faulted_users',
      'Users marked as faulted: of a stream that is set aside, or who cannot be judged.',
      (f) => f.faultedUsers,
    ],
    ['tenure_projection_faults', 'Faults met since the start.', (f) => f.faults],
    ['tenure_projection_running', '1 while events are applied.', (f) => Number(f.isRunning)],
  ]);
}

/** Shows how far a build is, asked for at every scrape; `null` while there is none. Every instance shows the same. */
export function watchRebuild({ registry }: Metrics, figures: () => Promise<RebuildFigures | null>): void {
  gauges(registry, figures, [
    [
      'tenure_rebuild_progress',
      'Part of the log that the build has folded, 0 to 1; no value while there is no build.',
      (f) => f.part,
    ],
    ['tenure_rebuild_events', 'Events that the build has folded.', (f) => f.events],
    [
      'tenure_rebuild_events_per_second',
      'Mean rate of the build since it was asked for.',
      (f) => f.eventsPerSecond,
    ],
  ]);
}

/** Shows how many users have something that somebody should look at, as the last look counted them. */
export function watchAttention({ registry }: Metrics, counts: () => AttentionCounts | null): void {
  gauges(registry, async () => counts(), [
    [
      'tenure_users_with_unmapped_prices',
      'Users who have a subscription on a price in no plan and no add-on.',
      (c) => c.unmappedPrices,
    ],
    [
      'tenure_users_with_adopted_prices',
      "Users for whom a price in no plan counts as a plan's own, because they moved to it from one of that plan.",
      (c) => c.adoptedPrices,
    ],
    [
      'tenure_users_pending_payment',
      'Users who asked for a higher plan that is not paid yet.',
      (c) => c.pendingPayments,
    ],
    [
      'tenure_users_pending_without_invoice',
      'Those of them for whom there is no open invoice that they could pay.',
      (c) => c.pendingWithoutInvoice,
    ],
    [
      'tenure_grants_without_effect',
      'Grants in force of which the plan catalogue does not have all that they name.',
      (c) => c.grantsWithoutEffect,
    ],
    [
      'tenure_overrides_without_effect',
      'Overrides in force of keys that the plan catalogue does not have.',
      (c) => c.overridesWithoutEffect,
    ],
  ]);
}

/** What was signed of the log last; `age` in seconds. */
export interface AuditTreeFigures {
  readonly events: number;
  readonly age: number;
}

/** Shows what was signed of the log, as all instances know it, asked for at every scrape; `null`: nothing yet. */
export function watchAuditTree({ registry }: Metrics, figures: () => Promise<AuditTreeFigures | null>): void {
  gauges(registry, figures, [
    ['tenure_audit_checkpoint_events', 'Events that the newest signed checkpoint covers.', (f) => f.events],
    ['tenure_audit_checkpoint_age_seconds', 'How long ago it was signed.', (f) => f.age],
  ]);
}

/** Gauges of which one scrape asks together; one without a value has no line. */
function gauges<Figures>(
  registry: Registry,
  figures: () => Promise<Figures | null>,
  picks: readonly (readonly [name: string, help: string, pick: (figures: Figures) => number | null])[],
): void {
  let asked: Promise<Figures | null> | null = null;
  const ask = (): Promise<Figures | null> => {
    asked ??= figures().finally(() => {
      asked = null;
    });
    return asked;
  };
  for (const [name, help, pick] of picks) {
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        const found = await ask();
        const value = found === null ? null : pick(found);
        if (value === null) this.remove();
        else this.set(value);
      },
    });
  }
}

/** Work that follows what happened, of one reaction; `oldestMs` (Unix ms): since when the oldest of it waits. */
export interface ReactionFigures {
  readonly reaction: string;
  readonly waiting: number;
  readonly dead: number;
  readonly oldestMs: number | null;
}

/** Shows the work of reactions, as the instance that does it counted it last; others show none. */
export function watchReactions({ registry }: Metrics, figures: () => readonly ReactionFigures[]): void {
  const watch = (name: string, help: string, value: (figures: ReactionFigures) => number): void => {
    new Gauge({
      name,
      help,
      labelNames: ['reaction'],
      registers: [registry],
      collect() {
        this.reset();
        for (const each of figures()) this.set({ reaction: each.reaction }, value(each));
      },
    });
  };
  watch('tenure_reaction_waiting', 'Work that is not done yet, by reaction.', ({ waiting }) => waiting);
  watch('tenure_reaction_dead', 'Work that was given up and not replayed, by reaction.', ({ dead }) => dead);
  watch(
    'tenure_reaction_oldest_seconds',
    'For how long the oldest work waits, by reaction.',
    ({ oldestMs }) => (oldestMs === null ? 0 : Math.max(0, (Date.now() - oldestMs) / 1_000)),
  );
}
