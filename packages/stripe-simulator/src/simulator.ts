import { Account, type AccountOptions } from './account.js';
import { followCheckoutPayments } from './billing/checkout.js';
import { followDisputes } from './billing/disputes.js';
import { followPayments } from './billing/invoice-reactions.js';
import { followPendingUpdates } from './billing/pending-updates.js';
import { followSchedules } from './billing/schedules.js';
import { followInvoices } from './billing/subscription-status.js';
import { controlRouter } from './control.js';
import { expansionsOf } from './http/expand.js';
import { type Method, Router } from './http/router.js';
import { ApiServer } from './http/server.js';
import { sideRoutes } from './http/side-routes.js';
import { pagesOf } from './pages/pages.js';
import { followEntitlements } from './resources/entitlements.js';
import { routesOf } from './routes.js';
import { Webhooks } from './webhooks/delivery.js';

export interface SimulatorOptions extends Partial<AccountOptions> {
  /** 0, which is the default, takes a free one. */
  readonly port?: number;
  readonly host?: string;
}

/** Seconds of real time between looks at a clock that goes with it. */
const TICK_MS = 1_000;

/** A Stripe account that answers over HTTP, with a clock that is moved by hand until it goes with real time. */
export class Simulator {
  readonly account: Account;
  readonly webhooks: Webhooks;
  readonly #server: ApiServer;
  readonly #controls: Router;
  #port = 0;
  #host = '127.0.0.1';
  #moving: Promise<void> = Promise.resolve();
  #ticking: NodeJS.Timeout | null = null;

  private constructor({ start = presentSecond(), seed = 1, settings = {} }: Partial<AccountOptions>) {
    this.account = new Account({ start, seed, settings });
    followPayments(this.account);
    followCheckoutPayments(this.account);
    followDisputes(this.account);
    followInvoices(this.account);
    followPendingUpdates(this.account);
    followSchedules(this.account);
    this.webhooks = new Webhooks(this.account);
    followEntitlements(this.account);
    this.#controls = controlRouter(this);
    const router = new Router();
    routesOf(router, this.account, this.webhooks);
    this.#server = new ApiServer({
      account: this.account,
      router,
      expansions: expansionsOf(this.account),
      sideRoutes: sideRoutes(this.#controls, pagesOf(this.account, this.webhooks)),
    });
  }

  /** Starts one that listens; its clock stands still at `start` (Unix seconds). */
  static async start({
    port = 0,
    host = '127.0.0.1',
    ...options
  }: SimulatorOptions = {}): Promise<Simulator> {
    const simulator = new Simulator(options);
    simulator.#port = await simulator.#server.listen(port, host);
    simulator.#host = host;
    simulator.account.url = simulator.url;
    return simulator;
  }

  get url(): string {
    return `http://${this.#host}:${this.#port}`;
  }

  /** So many requests have come since the start. */
  get requests(): number {
    return this.#server.requests;
  }

  /** How the SDK is told to ask here: `new Stripe(key, simulator.sdkConfig)`. */
  get sdkConfig(): { readonly host: string; readonly port: number; readonly protocol: 'http' } {
    return { host: this.#host, port: this.#port, protocol: 'http' };
  }

  /**
   * Moves the clock to a second and runs what falls due on the way. What each second's events are posted to has answered
   * before the clock moves on. @throws ClockRunsForwardError for a second that has passed
   */
  async moveTo(second: number): Promise<void> {
    const move = this.#moving.then(() => this.#move(second));
    this.#moving = move.catch(() => undefined);
    return move;
  }

  /** Moves to the present and goes on with it. */
  async goWithRealTime(): Promise<void> {
    await this.moveTo(Math.max(this.account.clock.now, presentSecond()));
    this.#ticking ??= setInterval(() => {
      const present = presentSecond();
      if (present > this.account.clock.now) void this.moveTo(present);
    }, TICK_MS).unref();
  }

  /** Tells the simulator something as `/_simulator/…` does, without HTTP. @throws ApiError */
  async control(method: Method, path: string, params: object = {}): Promise<object> {
    const route = this.#controls.find(method, path);
    if (route === null) throw new Error(`there is no ${method} ${path}`);
    return await route.handle({ path: route.path, params });
  }

  /** Stops answering and posting. */
  async close(): Promise<void> {
    if (this.#ticking !== null) clearInterval(this.#ticking);
    this.webhooks.close();
    await this.#server.close();
  }

  async #move(second: number): Promise<void> {
    const { clock } = this.account;
    do {
      clock.step(second);
      await this.webhooks.settled();
    } while (clock.now < second || (clock.nextJob ?? Number.POSITIVE_INFINITY) <= second);
  }
}

function presentSecond(): number {
  return Math.floor(Date.now() / 1_000);
}
