/** Time, as it passes for whoever asks. */
export interface Clock {
  /** Milliseconds, of whatever beginning. */
  now(): number;
  /** Runs it once after so many milliseconds. Returns what takes that back. */
  after(milliseconds: number, run: () => void): () => void;
}

/** A way between the tabs of one origin: each message reaches all other tabs that opened the same name. */
export interface Channel {
  post(message: unknown): void;
  close(): void;
}

/** Locks that tabs of one origin share; a tab that goes away lets go of its own. */
export interface TabLocks {
  /** Waits for the lock, holds it until `whileHeld` has ended, and gives up waiting when the signal does. */
  hold(name: string, signal: AbortSignal, whileHeld: () => Promise<void>): Promise<void>;
}

/** Whether the page is looked at, and whether there is a network. */
export interface Page {
  isHidden(): boolean;
  isOnline(): boolean;
  /** Calls the listener whenever one of these may have changed; returns what ends that. */
  onChange(listener: () => void): () => void;
}

/** Texts that outlive the page. */
export interface KeptTexts {
  get(key: string): string | null;
  set(key: string, text: string): void;
  remove(key: string): void;
}

/** All that the client uses of the browser. What a browser does not have is `null`. */
export interface Environment {
  readonly clock: Clock;
  /** A random number of at least 0, below 1. */
  random(): number;
  fetch(url: string, init: RequestInit): Promise<Response>;
  readonly openChannel: ((name: string, listener: (message: unknown) => void) => Channel) | null;
  readonly locks: TabLocks | null;
  readonly page: Page;
  readonly kept: KeptTexts | null;
}

/** The parts of a browser that Node's types do not know. */
interface BrowserGlobals {
  readonly document?: EventTargetLike & { readonly visibilityState: string };
  readonly addEventListener?: EventTargetLike['addEventListener'];
  readonly removeEventListener?: EventTargetLike['removeEventListener'];
  readonly navigator?: {
    readonly onLine?: boolean;
    readonly locks?: {
      request(name: string, options: { signal: AbortSignal }, held: () => Promise<void>): Promise<void>;
    };
  };
  readonly localStorage?: {
    getItem(key: string): string | null;
    setItem(key: string, text: string): void;
    removeItem(key: string): void;
  };
  readonly BroadcastChannel?: new (
    name: string,
  ) => {
    onmessage: ((event: { readonly data: unknown }) => void) | null;
    postMessage(message: unknown): void;
    close(): void;
  };
}
interface EventTargetLike {
  addEventListener(type: string, listener: () => void): void;
  removeEventListener(type: string, listener: () => void): void;
}

/** What this page has. On a server, which has no page, nothing is shared with tabs and nothing kept. */
export function browserEnvironment(): Environment {
  const globals = globalThis as unknown as BrowserGlobals;
  const { document, navigator, BroadcastChannel: TabChannel } = globals;
  const isPage = document !== undefined;
  const locks = navigator?.locks;
  return {
    clock: {
      now: () => Date.now(),
      after: (milliseconds, run) => {
        const timer = setTimeout(run, milliseconds);
        return () => clearTimeout(timer);
      },
    },
    random: () => Math.random(),
    fetch: (url, init) => fetch(url, init),
    openChannel:
      isPage && TabChannel !== undefined
        ? (name, listener) => {
            const channel = new TabChannel(name);
            channel.onmessage = ({ data }) => listener(data);
            return { post: (message) => channel.postMessage(message), close: () => channel.close() };
          }
        : null,
    locks:
      isPage && locks !== undefined
        ? { hold: (name, signal, whileHeld) => locks.request(name, { signal }, whileHeld) }
        : null,
    page: pageOf(globals),
    kept: isPage ? keptTexts(() => globals.localStorage) : null,
  };
}

function pageOf(globals: BrowserGlobals): Page {
  const { document, navigator } = globals;
  return {
    isHidden: () => document?.visibilityState === 'hidden',
    isOnline: () => navigator?.onLine !== false,
    onChange(listener) {
      const targets: (readonly [Partial<EventTargetLike> | undefined, string])[] = [
        [document, 'visibilitychange'],
        [globals, 'online'],
        [globals, 'offline'],
        [globals, 'pageshow'],
      ];
      for (const [target, type] of targets) target?.addEventListener?.(type, listener);
      return () => {
        for (const [target, type] of targets) target?.removeEventListener?.(type, listener);
      };
    },
  };
}

/** Storage throws where a browser forbids it or has no room: then nothing is kept, for it is for display alone. */
function keptTexts(storage: () => BrowserGlobals['localStorage']): KeptTexts {
  const tried = <T>(use: () => T, otherwise: T): T => {
    try {
      return use();
    } catch {
      return otherwise;
    }
  };
  return {
    get: (key) => tried(() => storage()?.getItem(key) ?? null, null),
    set: (key, text) => tried(() => storage()?.setItem(key, text), undefined),
    remove: (key) => tried(() => storage()?.removeItem(key), undefined),
  };
}
