import { Attention } from './attention.js';
import { browserEnvironment, type Environment } from './environment.js';
import { TenureError } from './errors.js';
import { LastKnown } from './last-known.js';
import { PATHS } from './paths.js';
import { type Checkout, type CheckoutChoice, type Plans, parseCheckout, parsePlans } from './plans.js';
import { Requests } from './requests.js';
import { Session } from './session.js';
import type { AccessChanged } from './session-options.js';
import { type Held, isRecord, parseSnapshot, type Snapshot } from './snapshot.js';
import { type ClientState, type FeatureState, featureOf } from './state.js';
import {
  type UpgradeOptions,
  type UpgradeResult,
  type UpgradeState,
  waitForUpgrade,
  watchUpgrade,
} from './upgrade.js';

/** Whoever subscribes anew so soon finds the stream still open. */
const LINGER_MS = 1_000;

export interface ClientOptions {
  /** The service (with `token`), or where the application has mounted its `tenureHandler`, such as `/api/tenure`. */
  readonly baseUrl: string;
  /** Gives the signed-in user's token of your identity provider; asked for each request. */
  readonly token?: () => Promise<string>;
  /** Who is signed in, where the page knows: answers about anyone else are then refused. */
  readonly userId?: string;
  /** The snapshot that a server put into the page, of its own `GET` for this user, moments ago. */
  readonly initial?: Snapshot;
  /** Called in each tab when role, plan, status, features or limits changed. */
  readonly onAccessChanged?: (change: AccessChanged) => void;
  /** Clock, network, tabs and the rest, in place of the browser's own. */
  readonly environment?: Environment;
}

/** Makes a client. It asks for nothing until somebody subscribes or gets, so it may be made on a server, too. */
export function createTenureClient(options: ClientOptions): TenureClient {
  return new TenureClient(options);
}

/** What the user of this page may do: asked once, then followed as long as anybody is subscribed. */
export class TenureClient {
  readonly #environment: Environment;
  readonly #requests: Requests;
  readonly #lastKnown: LastKnown;
  readonly #listeners = new Set<() => void>();
  readonly #initialState: ClientState;
  readonly #attention: Attention;
  #session: Session;
  #isSignedOut = false;
  #cancelLinger = () => {};
  #plans: Promise<Plans> | null = null;

  constructor(private readonly options: ClientOptions) {
    const { baseUrl, token, userId = null, initial, environment } = options;
    this.#environment = environment ?? browserEnvironment();
    this.#attention = new Attention(this.#environment, () => this.#look());
    this.#requests = new Requests({ baseUrl, token }, this.#environment);
    this.#lastKnown = new LastKnown(this.#environment.kept, baseUrl);
    const isOfUser = initial !== undefined && (userId === null || initial.userId === userId);
    const given = isOfUser ? { snapshot: parseSnapshot(initial), etag: null, cursor: null } : null;
    this.#session = this.#newSession(userId, given);
    this.#initialState = this.#session.state;
  }

  /** What is known now; the same object until something changes. */
  readonly getState = (): ClientState => this.#session.state;

  /** What was known when the client was made: what a server renders, and a browser before anything else. */
  readonly getInitialState = (): ClientState => this.#initialState;

  /** Calls the listener whenever the state has changed, and follows the user meanwhile. Returns what ends that. */
  readonly subscribe = (listener: () => void): (() => void) => {
    const own = () => listener();
    this.#listeners.add(own);
    this.#cancelLinger();
    if (this.#listeners.size === 1) this.#begin();
    return () => {
      if (!this.#listeners.delete(own) || this.#listeners.size > 0) return;
      this.#cancelLinger = this.#environment.clock.after(LINGER_MS, () => this.#end());
    };
  };

  /** The snapshot now: what is held while it is live, else asked for. @throws TenureError */
  async get(): Promise<Snapshot> {
    const { status, snapshot } = this.getState();
    return status === 'live' && snapshot !== null && this.#attention.isWatched ? snapshot : this.refetch();
  }

  /** Asks the service now, in any case. @throws TenureError */
  readonly refetch = async (): Promise<Snapshot> => {
    if (this.#isSignedOut)
      throw this.getState().error ?? new TenureError('signed_out', 'Nobody is signed in.');
    return this.#session.refetch();
  };

  /** Whether a feature, or any of a limited thing, is allowed by what is known now. */
  feature(key: string): FeatureState {
    return featureOf(this.getState(), key);
  }

  /** Answers must know this `Tenure-Position` from now on, in all tabs: of a reply to something your server wrote. */
  wrote(position: string): void {
    this.#session.wrote(position);
  }

  /** What can be bought; asked once in the client's life, again after a failure. @throws TenureError */
  plans(): Promise<Plans> {
    const signal = new AbortController().signal;
    this.#plans ??= this.#requests.json(PATHS.plans, undefined, signal).then(
      ({ value }) => parsePlans(value),
      (error: unknown) => {
        this.#plans = null;
        throw error;
      },
    );
    return this.#plans;
  }

  /** Begins to buy: the answer's `url` is where the browser goes, if there is one. @throws TenureError */
  async checkout(choice: CheckoutChoice): Promise<Checkout> {
    const session = this.#session;
    const userId = session.userId ?? (await this.refetch()).userId;
    return parseCheckout(await this.#written(session, PATHS.checkout, { ...choice, userId }));
  }

  /** Where the user's own page at Stripe is. @throws TenureError */
  async portal(returnUrl: string): Promise<string> {
    const session = this.#session;
    const userId = session.userId ?? (await this.refetch()).userId;
    const value = await this.#written(session, PATHS.portal, { userId, returnUrl });
    if (isRecord(value) && typeof value.url === 'string') return value.url;
    throw new TenureError('malformed_answer', 'This is no portal session.');
  }

  /** Waits until the user has more than before, for a minute at most. Never rejected. */
  waitForUpgrade(options: UpgradeOptions = {}): Promise<UpgradeResult> {
    return waitForUpgrade(this, this.#environment.clock, options);
  }

  /** The same, told step by step, late upgrades included. Returns what ends it. */
  watchUpgrade(options: Omit<UpgradeOptions, 'signal'>, listener: (state: UpgradeState) => void): () => void {
    return watchUpgrade(this, this.#environment.clock, options, listener);
  }

  /** Somebody signed in: whatever is known of anybody else is dropped, here and in storage. */
  signIn(userId: string, initial?: Snapshot): void {
    if (!this.#isSignedOut && this.#session.userId === userId && initial === undefined) return;
    const isOfUser = initial?.userId === userId;
    const given = isOfUser ? { snapshot: parseSnapshot(initial), etag: null, cursor: null } : null;
    this.#replace(userId, given, this.#session.userId === userId ? 'other_user' : 'signed_out');
  }

  /** The user signed out: everything known is dropped, in all tabs of the user. */
  signOut(): void {
    this.#leave('signed_out', new TenureError('signed_out', 'Nobody is signed in.'));
  }

  async #written(session: Session, path: string, body: unknown): Promise<unknown> {
    const { value, position } = await this.#requests.json(path, body, session.signal);
    if (position !== null) session.wrote(position);
    return value;
  }

  #newSession(userId: string | null, initial: Held | null): Session {
    const session: Session = new Session({
      requests: this.#requests,
      environment: this.#environment,
      baseUrl: this.options.baseUrl,
      userId,
      initial,
      lastKnown: this.#lastKnown,
      onState: () => session === this.#session && this.#notify(),
      onAccessChanged: (change) => queueMicrotask(() => this.options.onAccessChanged?.(change)),
      onOtherUser: (held) => session === this.#session && this.#meetOther(userId, held),
    });
    return session;
  }

  /** An answer is about somebody else, or another tab has signed the user out. */
  #meetOther(expected: string | null, held: Held | null): void {
    // A page that knows its user shows nobody else's; one that does not goes by whoever the answers are about.
    if (held === null)
      this.#leave('other_user', new TenureError('signed_out', 'Another tab has signed out.'));
    else if (expected === null) this.#replace(null, held, 'other_user');
    else this.#leave('other_user', new TenureError('other_user', 'Somebody else is signed in.'));
  }

  #leave(reason: 'signed_out' | 'other_user', error: TenureError): void {
    this.#isSignedOut = true;
    this.#exchange(null, null, reason);
    this.#session.refuse(error);
    this.#notify();
  }

  #replace(userId: string | null, initial: Held | null, reason: 'signed_out' | 'other_user'): void {
    this.#isSignedOut = false;
    this.#exchange(userId, initial, reason);
    if (this.#attention.isWatched) this.#look();
    this.#notify();
  }

  #exchange(userId: string | null, initial: Held | null, reason: 'signed_out' | 'other_user'): void {
    const before = this.#session;
    this.#session = this.#newSession(userId, initial);
    before.close(reason);
  }

  #notify(): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener();
      } catch (error) {
        // The page's own error handler is told; the other listeners are told of the state.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  #begin(): void {
    this.#attention.begin();
    this.#look();
  }

  #end(): void {
    this.#attention.end();
    this.#session.stop();
  }

  /** Follows the user while the page has attention. */
  #look(): void {
    const isWanted = this.#attention.isGiven() && !this.#isSignedOut;
    if (isWanted) this.#session.start();
    else this.#session.stop();
  }
}
