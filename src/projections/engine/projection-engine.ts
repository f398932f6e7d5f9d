import { setTimeout as pause } from 'node:timers/promises';
import { cutPool } from '../../database/pools.js';
import type { EventStore } from '../../event-store/event-store.js';
import type { Position } from '../../events/stored-event.js';
import { inTime } from '../../observability/in-time.js';
import { openLiveCheckpoint } from './checkpoint.js';
import { CommitNotifier } from './commit-notifier.js';
import { EngineProgress } from './engine-progress.js';
import { Follower, type RoleContext } from './follower.js';
import { Leader, type LeaderOptions, TROUBLE_PAUSE_MS } from './leader.js';
import { LeaderElection } from './leader-election.js';
import { LogHead } from './log-head.js';
import type { Projection, ProjectionStatus } from './projection.js';
import { StallWatch } from './stall-watch.js';
import { WakeSignal } from './wake-signal.js';

export interface ProjectionEngineOptions
  extends LeaderOptions,
    Pick<RoleContext, 'pool' | 'projection' | 'listener'> {
  readonly store: LeaderOptions['store'] & Pick<EventStore, 'head' | 'onAppend'>;
  /** Connection string for the session that leads and listens. */
  readonly url: string;
  /** How long a leader may stand still while the log is ahead, in milliseconds. Left out: ten seconds. */
  readonly stuckMs?: number;
}

/**
 * A leader that has not moved for so long while the log is ahead gives up the lead, and all its connections; one whose
 * log has not answered for so long gives up the lead.
 */
const STUCK_MS = 10_000;
/** Minimum interval between two questions whether this instance may lead, in milliseconds; shorter than that of polls. */
const ASK_TO_LEAD_MS = 100;
/** How long a wait that is over goes on for its last look, in milliseconds. */
const LAST_LOOK_MS = 250;
/** A batch under way at a stop has this long to end, in milliseconds; then its connections are cut, and it is undone. */
const FINISH_WITHIN_MS = 2_500;

/**
 * Drives one projection (DESIGN 12): ordered batches, each in one transaction with a compare-and-set of the
 * checkpoint. An advisory lock elects the leader, which is an optimisation; the compare-and-set is the guarantee.
 * It drives the generation that is live, whichever that is: a swap moves the revision of both checkpoints, so that a
 * leader who does not know of it yet loses its next compare-and-set and looks again. The engine itself only says which role
 * its instance has.
 */
export class ProjectionEngine implements Projection {
  readonly #wakeSignal = new WakeSignal();
  readonly #stopping = new AbortController();
  readonly #progress: EngineProgress;
  readonly #head: LogHead;
  readonly #follower: Follower;
  readonly #leader: Leader;
  readonly #notifier: CommitNotifier;
  readonly #stallWatch: StallWatch;
  #election: LeaderElection | null = null;
  #run: Promise<void> | null = null;
  #unsubscribe: () => void = () => undefined;

  constructor(private readonly options: ProjectionEngineOptions) {
    const { store, pool, projection, listener, stuckMs = STUCK_MS } = options;
    const stopping = this.#stopping.signal;
    const onTrouble = (error: unknown): void => listener.onTrouble(error);
    const progress = new EngineProgress(projection, listener, this.#wakeSignal);
    const head = new LogHead({
      store,
      onTrouble,
      onAnswer: (position) => {
        progress.sawHead(position);
        this.#stallWatch.logAnswered();
      },
    });
    const context = { pool, projection, listener, progress, head, wakeSignal: this.#wakeSignal, stopping };
    this.#progress = progress;
    this.#head = head;
    this.#stallWatch = new StallWatch({
      progress,
      head,
      stuckMs,
      onStalled: (why) => {
        listener.onTrouble(why);
        this.#cutConnections(why);
      },
      onLogSilent: (why) => this.#letOthersLead(why),
    });
    this.#notifier = new CommitNotifier(onTrouble, stopping);
    this.#follower = new Follower(context);
    this.#leader = new Leader(context, options, this.#notifier, this.#stallWatch);
  }

  /** Opens the checkpoint and starts to lead or to follow, unless it is stopped meanwhile. */
  async start(): Promise<void> {
    const { pool, projection, codeVersion, store } = this.options;
    const live = await openLiveCheckpoint(pool, projection, codeVersion);
    if (this.#stopping.signal.aborted) return;
    this.#progress.learn(live);
    this.#unsubscribe = store.onAppend(() => this.#wakeSignal.wake());
    this.#stallWatch.start();
    this.#run = this.#runRoles();
  }

  /** Finishes the batch at hand and lets go of the lead; what does not end in time is cut off, and undone. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#unsubscribe();
    this.#wakeSignal.wake();
    const late = setTimeout(
      () => this.#cutConnections(new Error('Connection terminated: it stops')),
      FINISH_WITHIN_MS,
    );
    await Promise.race([this.#run, pause(FINISH_WITHIN_MS + 1_000, undefined, { ref: false })]);
    clearTimeout(late);
    this.#stallWatch.stop();
    this.#notifier.stop();
    this.#progress.state = 'stopped';
    this.#progress.wakeWaiters();
  }

  status(): ProjectionStatus {
    return this.#progress.status();
  }

  async waitUntil(position: Position, timeoutMs: number): Promise<boolean> {
    const progress = this.#progress;
    const deadline = Date.now() + timeoutMs;
    while (!progress.isAt(position)) {
      const left = deadline - Date.now();
      if (left <= 0 || progress.state === 'stopped') return false;
      await progress.nextChange(left);
      // Whoever is woken by what another saw has no need to look; and one look may be late, though it was another's.
      if (progress.isAt(position) || progress.state === 'leading') continue;
      const look = this.#follower.look().catch((error: unknown) => this.options.listener.onTrouble(error));
      await inTime(look, Math.max(deadline - Date.now(), LAST_LOOK_MS));
    }
    return true;
  }

  nextChange(ms: number): Promise<void> {
    return this.#progress.nextChange(ms);
  }

  async #runRoles(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        await this.#takeRoles(await this.#openSession());
      } catch (error) {
        this.#progress.troubled(error);
        await this.#wakeSignal.wait(TROUBLE_PAUSE_MS);
      }
      await this.#closeSession();
    }
  }

  /** Leads where it may and is elected, and follows otherwise, as long as the session lasts. */
  async #takeRoles(election: LeaderElection): Promise<void> {
    const isOver = (): boolean => this.#stopping.signal.aborted || election.isLost;
    // What a notification tells of is read at once: the question who leads costs as long as the answer to what changed.
    let askedAt = Number.NEGATIVE_INFINITY;
    while (!isOver()) {
      const mayLead = this.#progress.stoppedAt === null && this.#head.isAnswering;
      if (mayLead && performance.now() - askedAt >= ASK_TO_LEAD_MS) {
        askedAt = performance.now();
        const isElected = await election.tryToLead();
        this.#progress.otherLeads = !isElected;
        if (isElected) await this.#leader.lead(election);
      }
      if (!isOver()) await this.#follower.standBy();
    }
  }

  async #openSession(): Promise<LeaderElection> {
    const wake = (): void => this.#wakeSignal.wake();
    const { url, projection } = this.options;
    const onLost = (why: Error): void => {
      this.options.listener.onTrouble(why);
      wake();
    };
    const hooks = { onNotification: wake, onLost };
    this.#election = await LeaderElection.open(url, { projection, lead: 'live' }, hooks);
    this.#progress.isSessionNew = true;
    this.#progress.otherLeads = false;
    return this.#election;
  }

  async #closeSession(): Promise<void> {
    const election = this.#election;
    this.#election = null;
    if (election === null || election.isLost) return;
    await election.close().catch((error: unknown) => this.options.listener.onTrouble(error));
  }

  /** The log may answer other instances: the lead is for one of them, until the log answers this one again. */
  #letOthersLead(why: Error): void {
    this.#head.presumeSilent();
    this.options.listener.onTrouble(why);
    this.#election?.cut(why);
    this.#leader.abandonRound(why);
  }

  /** Gives the lead back and throws all connections away; the round at hand ends by that. */
  #cutConnections(why: Error): void {
    this.#election?.cut(why);
    cutPool(this.options.pool, why);
    this.#leader.abandonRound(why);
  }
}
