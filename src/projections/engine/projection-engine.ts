import { setTimeout as pause } from 'node:timers/promises';
import type { Pool } from 'pg';
import { cutPool } from '../../database/deadlines.js';
import { isUnreachable } from '../../database/transient.js';
import { type EventStore } from '../../event-store/event-store.js';
import type { EventEnvelope } from '../../events/event-envelope.js';
import { comparePositions, type Position } from '../../events/stored-event.js';
import { BatchRunner, type Round } from './batch-runner.js';
import {
  type Checkpoint,
  type LiveCheckpoint,
  noteFault,
  openLiveCheckpoint,
  type ProjectionFault,
  readLiveCheckpoint,
} from './checkpoint.js';
import { LeaderElection } from './leader-election.js';
import type { Projection, ProjectionListener, ProjectionState, ProjectionStatus } from './projection.js';
import { projectionSource } from './projection-source.js';
import type { Projector } from './projector.js';
import { changedBetween, readRecentChanges } from './recent-changes.js';
import { NOTHING_SET_ASIDE } from './set-aside-summary.js';
import { isWritten } from './under-way.js';
import { WakeSignal } from './wake-signal.js';

export interface ProjectionEngineOptions {
  readonly store: Pick<EventStore, 'read' | 'readAll' | 'head' | 'eventIdAt' | 'onAppend'>;
  /** The setting `STREAM_PREFIX`. */
  readonly streamPrefix: string;
  readonly pool: Pool;
  /** Connection string for the session that leads and listens. */
  readonly url: string;
  readonly projection: string;
  readonly codeVersion: string;
  /** Makes the projector of a generation: one is asked for whenever another generation went live. */
  readonly projectorOf: (generation: number) => Projector<EventEnvelope>;
  readonly listener: ProjectionListener;
  readonly batchSize?: number;
  /** How long a leader may stand still while the log is ahead, in milliseconds. Left out: ten seconds. */
  readonly stuckMs?: number;
}

const BATCH_SIZE = 500;
/** A missed ring costs at most this long. */
const POLL_MS = 250;
/**
 * Between batches that are not full: while events keep coming, a few milliseconds make one batch of many. The first
 * event after a silence is applied at once.
 */
const BREATH_MS = 20;
const STANDBY_POLL_MS = 200;
const TROUBLE_PAUSE_MS = 500;
const NOTIFY_EVERY_MS = 20;
/** A standby looks this often while somebody waits, and otherwise as often as `STANDBY_POLL_MS`. */
const WAITED_POLL_MS = 25;
/** How soon a log that is not the one of the checkpoint is looked at again. */
const OTHER_LOG_PAUSE_MS = 1_000;
/** How often the head is asked for while batches keep coming. */
const HEAD_EVERY_MS = 250;
/**
 * A leader that has not moved for so long while the log is ahead gives up the lead, and all its connections; one that has heard
 * nothing of the log for so long gives up the lead.
 */
const STUCK_MS = 10_000;
const WATCH_EVERY_MS = 1_000;
/** While a round is under way nothing else asks where the log ends. */
const HEAD_AGAIN_MS = 2_000;
/** So long its connections may fail before an instance is out of touch. */
const OUT_OF_TOUCH_MS = 10_000;
/** What is under way at a stop has this long to end; then its connections are cut, and it is undone. */
const FINISH_WITHIN_MS = 2_500;

/** The fold of one generation. */
interface Fold {
  readonly generation: number;
  readonly projector: Projector<EventEnvelope>;
  readonly runner: BatchRunner;
}

/**
 * Drives one projection (DESIGN 12): ordered batches, each in one transaction with a compare-and-set of the
 * checkpoint. An advisory lock elects the leader, which is an optimisation; the compare-and-set is the guarantee.
 * It drives the generation that is live, whichever that is: a swap moves the revision of both checkpoints, so that a
 * leader who does not know of it yet loses its next compare-and-set and looks again.
 */
export class ProjectionEngine implements Projection {
  #fold: Fold | null = null;
  readonly #wakeSignal = new WakeSignal();
  readonly #waiters = new Set<() => void>();
  #state: ProjectionState = 'starting';
  #live: LiveCheckpoint | null = null;
  #fault: ProjectionFault | null = null;
  /** The fault this instance stopped at, and where it does not try again. */
  #stuck: { readonly fault: ProjectionFault; readonly at: LiveCheckpoint } | null = null;
  #head: Position | null = null;
  #headAt = 0;
  #levelAt = Date.now();
  #batches = 0;
  #eventsApplied = 0;
  #faults = 0;
  #stopping = false;
  #notifiedAt = 0;
  #notifyTimer: NodeJS.Timeout | null = null;
  #election: LeaderElection | null = null;
  /** A session began since the checkpoint was read: before it, a server that crashed may have lost its last commits. */
  #isAnew = false;
  #looking: Promise<void> | null = null;
  #run: Promise<void> | null = null;
  #watching: NodeJS.Timeout | null = null;
  /** Seconds of waiting, not of work, since the last movement: while this thread works nothing is counted. */
  #stillSeconds = 0;
  /** Seconds of waiting since the log last answered a leader. */
  #blindSeconds = 0;
  /** Whether the log answered when it was last asked where it ends: who cannot read it lets others lead. */
  #seesLog = true;
  /** Since when, on the clock of `performance.now()`, its connections fail; `null` while they do not. */
  #failingSince: number | null = null;
  /** Ends the round at hand with an error. */
  #giveUp: (why: Error) => void = () => undefined;
  #stopRinging: () => void = () => undefined;

  constructor(private readonly options: ProjectionEngineOptions) {}

  /** Opens the checkpoint and starts to lead or to follow. */
  async start(): Promise<void> {
    const { pool, projection, codeVersion, store } = this.options;
    this.#live = await openLiveCheckpoint(pool, projection, codeVersion);
    this.#stopRinging = store.onAppend(() => this.#wakeSignal.ring());
    this.#watching = setInterval(() => this.#watch(), WATCH_EVERY_MS);
    this.#run = this.#goOn();
  }

  /** Finishes the batch at hand and lets go of the lead; what does not end in time is cut off, and undone. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#stopRinging();
    this.#wakeSignal.ring();
    const late = setTimeout(
      () => this.#cutOff(new Error('Connection terminated: it stops')),
      FINISH_WITHIN_MS,
    );
    await Promise.race([this.#run, pause(FINISH_WITHIN_MS + 1_000, undefined, { ref: false })]);
    clearTimeout(late);
    if (this.#watching !== null) clearInterval(this.#watching);
    if (this.#notifyTimer !== null) clearTimeout(this.#notifyTimer);
    this.#state = 'stopped';
    this.#wake();
  }

  status(): ProjectionStatus {
    const handled = this.#live?.checkpoint.handled ?? null;
    const behind = comparePositions(this.#head, handled) > 0;
    return {
      projection: this.options.projection,
      generation: this.#live?.generation ?? null,
      state: this.#state,
      handled,
      scanned: this.#live?.checkpoint.scanned ?? null,
      head: this.#head,
      lagEvents: behind ? Number(BigInt(this.#head ?? '0') - BigInt(handled ?? '0')) : 0,
      lagSeconds: behind ? (Date.now() - this.#levelAt) / 1000 : 0,
      fault: this.#fault,
      outOfTouch: this.#failingSince !== null && performance.now() - this.#failingSince > OUT_OF_TOUCH_MS,
      setAside: setAsideCounts(this.#live),
      batches: this.#batches,
      eventsApplied: this.#eventsApplied,
      faults: this.#faults,
    };
  }

  async waitUntil(position: Position, timeoutMs: number): Promise<boolean> {
    const deadline = Date.now() + timeoutMs;
    while (!this.#isAt(position)) {
      const left = deadline - Date.now();
      if (left <= 0 || this.#state === 'stopped') return false;
      await this.nextChange(left);
      // Whoever is woken by what another saw has no need to look; and one look may be late.
      if (this.#isAt(position) || this.#state === 'leading') continue;
      await this.#look().catch((error) => this.options.listener.onTrouble(error));
    }
    return true;
  }

  #isAt(position: Position): boolean {
    return this.#live !== null && isWritten(this.#live.checkpoint, position);
  }

  nextChange(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#waiters.add(done);
      if (this.#state === 'standby') this.#wakeSignal.ring();
    });
  }

  async #goOn(): Promise<void> {
    while (!this.#stopping) {
      try {
        const election = await this.#openSession();
        while (!this.#stopping && !election.isLost) {
          const mayLead = this.#stuck === null && this.#seesLog;
          if (mayLead && (await election.tryToLead())) await this.#lead(election);
          else await this.#standBy();
        }
      } catch (error) {
        this.#trouble(error);
        await this.#wakeSignal.wait(TROUBLE_PAUSE_MS);
      }
      await this.#closeSession();
    }
  }

  async #openSession(): Promise<LeaderElection> {
    const ring = (): void => this.#wakeSignal.ring();
    const { url, projection } = this.options;
    const hooks = { onSign: ring, onLost: ring };
    this.#election = await LeaderElection.open(url, { projection, lead: 'live' }, hooks);
    this.#isAnew = true;
    return this.#election;
  }

  async #closeSession(): Promise<void> {
    const election = this.#election;
    this.#election = null;
    if (election === null || election.isLost) return;
    await election.close().catch((error) => this.options.listener.onTrouble(error));
  }

  async #standBy(): Promise<void> {
    await this.#follow();
    await this.#wakeSignal.wait(this.#waiters.size > 0 ? WAITED_POLL_MS : STANDBY_POLL_MS);
  }

  /** The look of the waiters that is under way, or a new one: however many wait, they ask the database once. */
  #look(): Promise<void> {
    this.#looking ??= this.#follow().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  /** Looks where the live checkpoint is, as another instance moves it. */
  async #follow(): Promise<void> {
    const { pool, projection, listener } = this.options;
    const live = await readLiveCheckpoint(pool, projection);
    if (live === null) return;
    // Read after the checkpoint, so it tells of that commit too.
    const isKnown = this.#live !== null && isSame(live, this.#live);
    const recent = isKnown ? [] : await readRecentChanges(pool, { projection, generation: live.generation });
    if (this.#stopping || this.#state === 'leading') return;
    const known = this.#live;
    // Waiters look too, so answers may overtake each other: a late one must not undo what is known since.
    if (known !== null && isEarlier(live, known) && !this.#isAnew) return;
    const moved = this.#isAnew || known === null || !isSame(live, known);
    const changed =
      this.#isAnew || known === null || live.swaps !== known.swaps
        ? 'all'
        : changedBetween(recent, known.checkpoint.revision, live.checkpoint.revision);
    this.#isAnew = false;
    this.#forgetHeadOf(live);
    this.#live = live;
    if (this.#stuck !== null && !isSame(this.#stuck.at, live)) this.#stuck = null;
    this.#fault = live.checkpoint.fault ?? this.#stuck?.fault ?? null;
    this.#state = this.#fault === null ? 'standby' : 'faulted';
    if (changed !== 'all') listener.onChanged(changed);
    this.#confirmed(live, moved && changed === 'all');
    if (moved) this.#wake();
    await this.#askHead();
  }

  /** Leads until stopped, until a fault, or until it is no longer the one who does; then lets another try. */
  async #lead(election: LeaderElection): Promise<void> {
    try {
      while ((await this.#applyBatches(election)) === 'swapped');
    } finally {
      if (this.#state === 'leading') this.#state = 'standby';
      if (!election.isLost) await election.release();
    }
    if (!this.#stopping && !election.isLost) await this.#standBy();
  }

  /** Applies batches to the generation that is live now; `swapped` when another one went live meanwhile. */
  async #applyBatches(election: LeaderElection): Promise<'ended' | 'swapped'> {
    const { pool, projection, codeVersion, listener } = this.options;
    let live = await openLiveCheckpoint(pool, projection, codeVersion);
    const fold = this.#foldOf(live.generation);
    fold.projector.forget();
    this.#forgetHeadOf(live);
    this.#live = live;
    this.#isAnew = false;
    this.#state = 'leading';
    this.#stillSeconds = 0;
    this.#confirmed(live, true);
    this.#wake();
    while (!this.#stopping && !election.isLost) {
      const began = performance.now();
      const round = await this.#round(fold, live.checkpoint);
      if (round === null) continue;
      if (round.outcome === 'lost') return this.#whyLost(live);
      if (round.outcome === 'other log') {
        fold.projector.forget();
        await this.#wakeSignal.wait(OTHER_LOG_PAUSE_MS);
        if ((await this.#confirm(live)) === 'lost') return this.#whyLost(live);
        continue;
      }
      if (round.outcome === 'fault') {
        await this.#stopAt(round.fault, live);
        return 'ended';
      }
      live = { ...live, checkpoint: round.checkpoint };
      this.#live = live;
      if (round.outcome === 'committed') {
        const { generation } = live;
        const seconds = (performance.now() - began) / 1_000;
        listener.onBatch({ generation, events: round.batch.applied, seconds });
        for (const what of round.batch.newlySetAside) listener.onSetAside(generation, what);
        this.#committed(round, live, election);
      } else if ((await this.#confirm(live)) === 'lost') return this.#whyLost(live);
      if (round.outcome === 'idle' || Date.now() - this.#headAt >= HEAD_EVERY_MS) await this.#askHead();
      if (round.outcome === 'idle' || !round.more) await this.#wakeSignal.wait(POLL_MS);
      if (round.outcome === 'committed' && !round.more) await breathe(performance.now() - began);
    }
    return 'ended';
  }

  #foldOf(generation: number): Fold {
    if (this.#fold?.generation === generation) return this.#fold;
    const { store, streamPrefix, pool, projection, projectorOf, batchSize } = this.options;
    const projector = projectorOf(generation);
    const key = { projection, generation };
    const source = projectionSource(store, streamPrefix, projection);
    this.#fold = {
      generation,
      projector,
      runner: new BatchRunner(source, pool, projector, key, batchSize ?? BATCH_SIZE),
    };
    return this.#fold;
  }

  /** A leader that lost its checkpoint to a swap goes on with the generation that is live now. */
  async #whyLost(known: LiveCheckpoint): Promise<'ended' | 'swapped'> {
    const live = await readLiveCheckpoint(this.options.pool, this.options.projection);
    return live !== null && live.swaps !== known.swaps ? 'swapped' : 'ended';
  }

  /** Reads the live checkpoint back: an idle leader must know that it still is one. */
  async #confirm(known: LiveCheckpoint): Promise<'confirmed' | 'lost'> {
    try {
      const live = await readLiveCheckpoint(this.options.pool, this.options.projection);
      if (live === null || !isSame(live, known)) return 'lost';
      this.#confirmed(known, false);
    } catch (error) {
      this.#trouble(error);
    }
    return 'confirmed';
  }

  /** One round; `null` when something passing was in the way and the round is to be tried again. */
  async #round({ runner, projector }: Fold, read: Checkpoint): Promise<Round | null> {
    const round = runner.run(read);
    try {
      const givenUp = new Promise<never>((_, reject) => {
        this.#giveUp = reject;
      });
      return await Promise.race([round, givenUp]);
    } catch (error) {
      // One that was given up and does not even end by that is left to itself, with the memory it uses.
      if (!(await endsSoon(round))) this.#fold = null;
      projector.forget();
      this.#trouble(error);
      await this.#askHead(); // what it cannot apply is its lag
      await this.#wakeSignal.wait(TROUBLE_PAUSE_MS);
      return null;
    }
  }

  /** Looks whether a leader moves. One that does not, though there is more to read, waits for what never comes. */
  #watch(): void {
    if (this.#state === 'leading' && Date.now() - this.#headAt > HEAD_AGAIN_MS) void this.#askHead();
    const isBehind = comparePositions(this.#head, this.#live?.checkpoint.handled ?? null) > 0;
    this.#stillSeconds = this.#state === 'leading' && isBehind ? this.#stillSeconds + 1 : 0;
    this.#blindSeconds = this.#state === 'leading' ? this.#blindSeconds + 1 : 0;
    const stuckMs = this.options.stuckMs ?? STUCK_MS;
    if (this.#blindSeconds * WATCH_EVERY_MS >= stuckMs) this.#letOthersLead(stuckMs);
    if (this.#stillSeconds * WATCH_EVERY_MS < stuckMs) return;
    this.#stillSeconds = 0;
    const why = new Error(`no answer from the database within ${stuckMs} ms: the projection did not move`);
    this.options.listener.onTrouble(why);
    this.#cutOff(why);
  }

  /** The log may answer other instances: the lead is for one of them, until this one hears of the log again. */
  #letOthersLead(afterMs: number): void {
    this.#blindSeconds = 0;
    this.#seesLog = false;
    const why = new Error(`no answer from the log within ${afterMs} ms: another instance may lead`);
    this.options.listener.onTrouble(why);
    this.#election?.cut(why);
    this.#giveUp(why);
  }

  /** Gives the lead back and throws all connections away; the round at hand ends by that. */
  #cutOff(why: Error): void {
    this.#election?.cut(why);
    cutPool(this.options.pool, why);
    this.#giveUp(why);
  }

  #trouble(error: unknown): void {
    if (isUnreachable(error)) this.#failingSince ??= performance.now();
    this.options.listener.onTrouble(error);
  }

  /** The checkpoint was read or moved just now. */
  #confirmed(live: LiveCheckpoint, moved: boolean): void {
    this.#failingSince = null;
    this.options.listener.onConfirmed(live, moved, 0);
  }

  #committed(
    round: Extract<Round, { outcome: 'committed' }>,
    live: LiveCheckpoint,
    election: LeaderElection,
  ): void {
    const { listener } = this.options;
    this.#batches += 1;
    this.#eventsApplied += round.batch.applied;
    this.#fault = null;
    this.#sawHead(round.checkpoint.handled);
    listener.onChanged(round.batch.changed);
    this.#stillSeconds = 0;
    this.#confirmed(live, false);
    this.#wake();
    this.#tellOthers(election);
  }

  /**
   * Entitlements are never guessed past a fault: this instance does not try again until the checkpoint has moved. It
   * does not keep the lead either: an instance with other code may come past.
   */
  async #stopAt(fault: ProjectionFault, at: LiveCheckpoint): Promise<void> {
    this.#stuck = { fault, at };
    this.#fault = fault;
    this.#state = 'faulted';
    this.#faults += 1;
    this.options.listener.onFault(fault);
    const { pool, projection } = this.options;
    await noteFault(pool, { projection, generation: at.generation }, at.checkpoint, fault);
  }

  /** Where the log ends; a store that does not answer now is asked again. */
  async #askHead(): Promise<void> {
    this.#headAt = Date.now();
    try {
      this.#sawHead(await this.options.store.head());
      this.#seesLog = true;
      this.#blindSeconds = 0;
    } catch (error) {
      this.#seesLog = false;
      this.options.listener.onTrouble(error);
    }
  }

  /** A swap may have been to a generation of another log, which ends elsewhere. */
  #forgetHeadOf({ swaps }: LiveCheckpoint): void {
    if (this.#live !== null && this.#live.swaps !== swaps) this.#head = null;
  }

  #sawHead(position: Position | null): void {
    if (comparePositions(position, this.#head) > 0) this.#head = position;
    if (comparePositions(this.#head, this.#live?.checkpoint.handled ?? null) <= 0) this.#levelAt = Date.now();
  }

  #wake(): void {
    for (const waiter of [...this.#waiters]) waiter();
  }

  /** At most one notification in `NOTIFY_EVERY_MS`; the last commit is always followed by one. */
  #tellOthers(election: LeaderElection): void {
    if (this.#notifyTimer !== null) return;
    const wait = Math.max(0, this.#notifiedAt + NOTIFY_EVERY_MS - Date.now());
    this.#notifyTimer = setTimeout(() => {
      this.#notifyTimer = null;
      this.#notifiedAt = Date.now();
      if (election.isLost) return;
      election.notify().catch((error) => {
        if (!this.#stopping) this.options.listener.onTrouble(error);
      });
    }, wait);
  }
}

/** Whether something comes to an end, whichever, within a second. */
function endsSoon(work: Promise<unknown>): Promise<boolean> {
  const ended = work.then(
    () => true,
    () => true,
  );
  return Promise.race([ended, pause(1_000, false, { ref: false })]);
}

/** Whether two looks at the live checkpoint saw the same commit of the same generation. */
function isSame(a: LiveCheckpoint, b: LiveCheckpoint): boolean {
  return a.swaps === b.swaps && a.checkpoint.revision === b.checkpoint.revision;
}

function isEarlier(a: LiveCheckpoint, b: LiveCheckpoint): boolean {
  return a.swaps < b.swaps || (a.swaps === b.swaps && a.checkpoint.revision < b.checkpoint.revision);
}

function setAsideCounts(live: LiveCheckpoint | null): ProjectionStatus['setAside'] {
  const { streams, users } = live?.checkpoint.setAside ?? NOTHING_SET_ASIDE;
  return { streams, users };
}

/** Waits until `BREATH_MS` have passed since a batch that began `spent` milliseconds ago. */
async function breathe(spent: number): Promise<void> {
  if (spent < BREATH_MS) await pause(BREATH_MS - spent);
}
