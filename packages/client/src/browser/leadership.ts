import type { Clock, Environment } from './environment.js';
import type { Held } from './snapshot.js';
import type { Tabs } from './tabs.js';
import { pause } from './timers.js';

const SAID_EVERY_MS = 10_000;
/** Longer than two sayings that were missed, of a stream that is heard every 15 s. */
const PATIENCE_MS = 45_000;
const POLL_EVERY_MS = 30_000;

/** What the tab with the stream tells those without one: that it is live, or was lost. */
export class LeaderVoice {
  #saidAt = Number.NEGATIVE_INFINITY;
  #isLost = false;

  constructor(
    private readonly clock: Clock,
    private readonly tabs: Tabs,
  ) {}

  /** The server was heard: told no more often than every ten seconds. */
  alive(): void {
    if (!this.#isLost && this.clock.now() - this.#saidAt < SAID_EVERY_MS) return;
    this.greet(null);
  }

  /** Tells at once, with what is held for a tab that came. */
  greet(held: Held | null): void {
    this.#saidAt = this.clock.now();
    this.#isLost = false;
    this.tabs.tell({ type: 'LIVE', held });
  }

  lost(): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.tabs.tell({ type: 'LOST' });
  }
}

/** Watches in a tab without a stream that the one with it is heard, and asks by itself while it is not. */
export class Watch {
  #heardAt: number;

  constructor(private readonly environment: Environment) {
    this.#heardAt = environment.clock.now();
  }

  heard(): void {
    this.#heardAt = this.environment.clock.now();
  }

  /** Runs until the signal ends. `ask` tells failures by itself. */
  async keep(ask: () => Promise<void>, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.environment;
    while (!signal.aborted) {
      const silentFor = clock.now() - this.#heardAt;
      if (silentFor < PATIENCE_MS) {
        await pause(clock, PATIENCE_MS - silentFor, signal);
      } else {
        await ask();
        await pause(clock, POLL_EVERY_MS * (0.75 + random() / 2), signal);
      }
    }
  }
}
