import { BroadcastChannel } from 'node:worker_threads';
import { type ClientOptions, createTenureClient, type TenureClient } from '../src/browser/client.js';
import type { Environment, TabLocks } from '../src/browser/environment.js';
import type { FakeService } from './fake-service.js';
import type { PageClock } from './page-clock.js';

/** Locks of one browser: whoever asked first has it, then the next. */
export function browserLocks(): TabLocks {
  const queues = new Map<string, Promise<void>>();
  return {
    async hold(name, signal, whileHeld) {
      const before = queues.get(name) ?? Promise.resolve();
      const given = new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve());
        void before.then(async () => {
          if (!signal.aborted) await whileHeld();
          resolve();
        });
      });
      queues.set(
        name,
        given.then(() => before),
      );
      await given;
    },
  };
}

/** One browser: what its tabs share. */
export class FakeBrowser {
  readonly locks = browserLocks();
  readonly kept = new Map<string, string>();

  constructor(
    readonly clock: PageClock,
    readonly service: FakeService,
    /** Part of names that are shared with no other test. */
    readonly name: string,
  ) {}

  open(options: Partial<ClientOptions> = {}, changes: Partial<Environment> = {}): FakeTab {
    return new FakeTab(this, options, changes);
  }
}

/** One tab, that can be hidden, cut off from the network, and closed. */
export class FakeTab {
  readonly client: TenureClient;
  readonly environment: Environment;
  #isHidden = false;
  #isOnline = true;
  readonly #listeners = new Set<() => void>();
  readonly #channels = new Set<BroadcastChannel>();
  #unsubscribe: (() => void) | null = null;

  constructor(browser: FakeBrowser, options: Partial<ClientOptions>, changes: Partial<Environment>) {
    const { clock, service, locks, kept, name } = browser;
    const environment: Environment = {
      clock,
      random: () => 0.5,
      fetch: service.fetch,
      locks,
      openChannel: (channelName, listener) => {
        const channel = new BroadcastChannel(channelName);
        channel.onmessage = (event) => listener((event as { data: unknown }).data);
        this.#channels.add(channel);
        return {
          post: (message) => channel.postMessage(message),
          close: () => {
            this.#channels.delete(channel);
            channel.close();
          },
        };
      },
      page: {
        isHidden: () => this.#isHidden,
        isOnline: () => this.#isOnline,
        onChange: (listener) => {
          this.#listeners.add(listener);
          return () => this.#listeners.delete(listener);
        },
      },
      kept: {
        get: (key) => kept.get(key) ?? null,
        set: (key, text) => kept.set(key, text),
        remove: (key) => kept.delete(key),
      },
      ...changes,
    };
    this.environment = environment;
    this.client = createTenureClient({ baseUrl: `https://${name}.test/api/tenure`, environment, ...options });
  }

  get state() {
    return this.client.getState();
  }

  get plan(): string | undefined {
    return this.state.snapshot?.plan;
  }

  /** Somebody of the page wants to know. */
  watch(listener: () => void = () => {}): this {
    this.#unsubscribe = this.client.subscribe(listener);
    return this;
  }

  unwatch(): void {
    this.#unsubscribe?.();
  }

  set isHidden(hidden: boolean) {
    this.#isHidden = hidden;
    this.#tell();
  }

  set isOnline(online: boolean) {
    this.#isOnline = online;
    this.#tell();
  }

  /** The browser drops it: channels end, and what the page still had under way is never heard of again. */
  async close(clock: PageClock): Promise<void> {
    this.unwatch();
    await clock.advance(1_000);
    for (const channel of this.#channels) channel.close();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
