import { keepLive, type Receiver } from './connection.js';
import { asTenureError, TenureError } from './errors.js';
import { Holding } from './holding.js';
import { LeaderVoice, Watch } from './leadership.js';
import { pollPause } from './reconnect.js';
import type { Ask } from './requests.js';
import type { AccessChanged, SessionOptions } from './session-options.js';
import type { Held, Snapshot } from './snapshot.js';
import type { ClientState } from './state.js';
import { type TabMessage, Tabs } from './tabs.js';
import { pause } from './timers.js';

/**
 * Everything that one page knows of one user: cache, channel and stream. It ends as a whole, so that nothing of the user is
 * seen by whoever comes next; what comes later, of requests under way too, is dropped.
 */
export class Session implements Receiver {
  readonly #holding: Holding;
  readonly #life = new AbortController();
  #userId: string | null;
  #run: AbortController | null = null;
  #tabs: Tabs | null = null;
  #voice: LeaderVoice | null = null;
  #watch: Watch | null = null;
  /** Whether the service is to be asked before anything else: not where it gave a snapshot with the page. */
  #asksFirst: boolean;

  constructor(private readonly options: SessionOptions) {
    const { initial, userId, lastKnown, environment } = options;
    this.#userId = userId ?? initial?.snapshot.userId ?? null;
    this.#asksFirst = initial === null;
    this.#holding = new Holding(initial, userId === null ? null : lastKnown.of(userId), environment.clock, {
      onState: () => this.#isOpen && options.onState(),
      onExpired: () => this.#run !== null && void this.#refresh(),
    });
  }

  get state(): ClientState {
    return this.#holding.state;
  }

  /** Ends with the session. */
  get signal(): AbortSignal {
    return this.#life.signal;
  }

  get userId(): string | null {
    return this.#userId;
  }

  /** Begins to follow the user's snapshot, until `stop`. */
  start(): void {
    if (this.#run !== null || !this.#isOpen) return;
    this.#run = new AbortController();
    void this.#follow(this.#run.signal);
  }

  /** Lets go of stream, lock and channel: what is held may be out of date from now on. */
  stop(): void {
    if (this.#run === null) return;
    this.#run.abort();
    this.#run = null;
    this.#tabs?.close();
    this.#tabs = null;
    this.#asksFirst = true;
    this.#holding.doubt(this.state.error);
  }

  /** Ends for good. Where the user signed out, the other tabs end theirs as well, and nothing is kept. */
  close(reason: 'signed_out' | 'other_user'): void {
    if (reason === 'signed_out' && this.#userId !== null) {
      const tabs = this.#tabs ?? this.#openTabs(this.#userId);
      tabs.tell({ type: 'SIGNED_OUT' });
      tabs.close();
    }
    if (this.#userId !== null) this.options.lastKnown.forget();
    this.#life.abort();
    this.stop();
    this.#holding.clear(null);
  }

  /** Shows that nobody is followed any more, and why. */
  refuse(error: TenureError): void {
    this.stop();
    this.#holding.clear(error);
  }

  /** Asks the service now. @throws TenureError */
  async refetch(): Promise<Snapshot> {
    const { signal } = this.#life;
    try {
      return await this.#asked(signal);
    } catch (error) {
      if (signal.aborted) throw new TenureError('signed_out', 'The user has changed meanwhile.');
      const fault = asTenureError(error);
      this.lost(fault);
      throw fault;
    }
  }

  /** Something was written that answers must know from now on, in all tabs. */
  wrote(position: string): void {
    this.#holding.mustKnow(position);
    this.#tabs?.tell({ type: 'WRITTEN', position });
  }

  ask(waitSeconds: number | null): Ask {
    return this.#holding.ask(waitSeconds);
  }

  take(held: Held, ask: Ask, cameBy: 'answer' | 'push'): void {
    this.#accept(held, cameBy === 'answer' ? ask : null, 'this_tab');
  }

  alive(): void {
    if (!this.#isOpen) return;
    this.#holding.confirm();
    this.#voice?.alive();
  }

  lost(error: TenureError): void {
    if (!this.#isOpen) return;
    if (error.code === 'position_unknown') this.#holding.forgetPosition();
    if (error.httpStatus === 401 || error.httpStatus === 403) this.#holding.clear(error);
    else this.#holding.doubt(error);
    this.#voice?.lost();
  }

  get #isOpen(): boolean {
    return !this.#life.signal.aborted;
  }

  #openTabs(userId: string): Tabs {
    const { baseUrl, environment } = this.options;
    return new Tabs(`tenure:${baseUrl}:${userId}`, environment, (message) => this.#onMessage(message));
  }

  async #asked(signal: AbortSignal): Promise<Snapshot> {
    const ask = this.ask(null);
    let held: Held | null;
    try {
      held = await this.options.requests.snapshot(ask, signal);
    } catch (error) {
      // The log was restored to an earlier state: what is known of its positions is forgotten.
      if (asTenureError(error).code === 'position_unknown' && this.#holding.forgetPosition()) {
        return this.#asked(signal);
      }
      throw error;
    }
    if (signal.aborted) throw new TenureError('aborted', 'The request was given up.');
    if (held !== null) this.take(held, ask, 'answer');
    this.alive();
    const snapshot = this.#holding.held?.snapshot;
    if (snapshot === undefined) throw new TenureError('other_user', 'Somebody else is signed in.');
    return snapshot;
  }

  /** Asks in the background: a failure shows in the state. */
  async #refresh(): Promise<void> {
    await this.refetch().catch(() => undefined);
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.options.environment;
    for (let failures = 0; this.#asksFirst; ) {
      try {
        await this.#asked(signal);
        this.#asksFirst = false;
      } catch (error) {
        if (signal.aborted || !this.#isOpen) return;
        const fault = asTenureError(error);
        this.lost(fault);
        failures += 1;
        await pause(clock, pollPause(0, failures, fault.retryAfterMs, random()), signal);
      }
      if (signal.aborted) return;
    }
    const userId = this.#holding.held?.snapshot.userId;
    if (signal.aborted || userId === undefined) return;
    await this.#join(this.#openTabs(userId), signal);
  }

  async #join(tabs: Tabs, signal: AbortSignal): Promise<void> {
    const { requests, environment } = this.options;
    this.#tabs = tabs;
    const watch = new Watch(environment);
    const watching = new AbortController();
    const endWatch = () => {
      watching.abort();
      if (this.#watch === watch) this.#watch = null;
    };
    signal.addEventListener('abort', endWatch);
    this.#watch = watch;
    void watch.keep(() => this.#refresh(), watching.signal);
    tabs.tell({ type: 'HELLO', held: this.#holding.held });
    await tabs.leadAlone(signal, async () => {
      endWatch();
      const voice = new LeaderVoice(environment.clock, tabs);
      this.#voice = voice;
      await keepLive(requests, this, environment, signal);
      if (this.#voice === voice) this.#voice = null;
    });
  }

  #accept(held: Held, answerTo: Ask | null, seenBy: AccessChanged['seenBy']): void {
    if (!this.#isOpen) return;
    const { userId } = held.snapshot;
    if (this.#userId !== null && userId !== this.#userId) {
      if (seenBy === 'this_tab') this.options.onOtherUser(held);
      return;
    }
    this.#userId = userId;
    const taken = this.#holding.take(held, answerTo);
    if (taken === null) return;
    const { change, previous, isNews } = taken;
    if (isNews && this.options.userId !== null) this.options.lastKnown.keep(held.snapshot);
    if (isNews && seenBy === 'this_tab') this.#tabs?.tell({ type: MESSAGES[change], held });
    if (change === 'same' || previous === null) return;
    this.options.onAccessChanged({ snapshot: held.snapshot, previous, change, seenBy });
  }

  #onMessage(message: TabMessage): void {
    switch (message.type) {
      case 'HELLO':
        if (message.held !== null) this.#accept(message.held, null, 'other_tab');
        if (this.state.status === 'live') this.#voice?.greet(this.#holding.held);
        return;
      case 'LIVE':
        if (message.held !== null) this.#accept(message.held, null, 'other_tab');
        this.#watch?.heard();
        if (this.#watch !== null) this.#holding.confirm();
        return;
      case 'LOST':
        if (this.#watch !== null) this.#holding.doubt(this.state.error);
        return;
      case 'SNAPSHOT':
      case 'ROLE_UPGRADED':
      case 'ROLE_CHANGED':
        this.#accept(message.held, null, 'other_tab');
        return;
      case 'WRITTEN':
        this.#holding.mustKnow(message.position);
        return;
      case 'SIGNED_OUT':
        this.options.onOtherUser(null);
    }
  }
}

const MESSAGES = { same: 'SNAPSHOT', upgraded: 'ROLE_UPGRADED', changed: 'ROLE_CHANGED' } as const;
