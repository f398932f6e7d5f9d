import { AccountTables } from './account-tables.js';
import { RefusedUnbegunError, resourceMissing } from './api-error.js';
import { SimulatedClock } from './clock.js';
import { Events, type StripeObject } from './events.js';
import { Ids } from './ids.js';
import type { InternalEvent } from './internal-events.js';
import { previousAttributes } from './previous-attributes.js';
import { DEFAULT_SETTINGS, type Settings } from './settings.js';
import type { Table } from './table.js';
import type { Changes, EventType, SubscriptionItem } from './types.js';

export interface AccountOptions {
  /** Unix seconds at which its clock begins. */
  readonly start: number;
  /** Ids and chances are the same for the same seed. */
  readonly seed: number;
  readonly settings?: Partial<Settings>;
}

/** One Stripe account in test mode: all that it knows, its clock, its events. The files of `resources` are what it can do. */
export class Account extends AccountTables {
  readonly id: string;
  readonly clock: SimulatedClock;
  readonly ids: Ids;
  readonly events: Events;
  settings: Settings;
  /** Where its pages are found; without one until it listens. */
  url = 'http://127.0.0.1';

  #running: SimulatedClock;
  readonly #reactions: ((event: InternalEvent) => void)[] = [];

  constructor({ start, seed, settings }: AccountOptions) {
    super();
    this.clock = new SimulatedClock(start);
    this.#running = this.clock;
    this.ids = new Ids(seed);
    this.events = new Events(this.clock, this.ids);
    this.id = `acct_1${this.ids.letters(15)}`;
    this.settings = { ...DEFAULT_SETTINGS, ...settings };
  }

  /** The second (Unix) of whatever happens at this moment, by the clock it lives by. */
  get now(): number {
    return this.#running.now;
  }

  /** Runs `act` in the time of a test clock, or of the account for `null`. What it schedules falls due by the same clock. */
  inTimeOf<Result>(testClock: string | null, act: () => Result): Result {
    const before = this.#running;
    this.#running = testClock === null ? this.clock : this.clockOf(testClock);
    try {
      return act();
    } finally {
      this.#running = before;
    }
  }

  /** Units that were reported for a metered item in a period. */
  usageOf(item: SubscriptionItem, { start, end }: { readonly start: number; readonly end: number }): number {
    const reports = this.usage.get(item.id) ?? [];
    return reports.reduce(
      (sum, { second, units }) => (second >= start && second < end ? sum + units : sum),
      0,
    );
  }

  /** @throws ApiError 400 when there is no such test clock */
  clockOf(testClock: string): SimulatedClock {
    const clock = this.testClocks.get(testClock);
    if (clock === undefined) throw resourceMissing('test clock', testClock, 'test_clock');
    return clock;
  }

  /** The test clock that something named by one of these ids lives by; `null` for the account's own. */
  testClockOf(ids: readonly string[]): string | null {
    for (const id of ids) {
      const customer = this.customers.find(id);
      const item = this.subscriptions.find(this.itemOwners.get(id) ?? id);
      const clock = customer?.test_clock ?? item?.test_clock ?? this.invoices.find(id)?.test_clock;
      if (clock != null) return clock;
      if (this.testClocks.has(id)) return id;
    }
    return null;
  }

  /** Lets a restricted key do no more than it may. @throws ApiError 403 */
  permit(key: string, method: string, path: string): void {
    const may = this.restrictedKeys.get(key);
    if (may === undefined) return;
    const resource = path.split('/').slice(2).join('/');
    const allowed = may.find((permission) => resource.startsWith(permission.resource));
    if (allowed?.access === 'write' || (allowed?.access === 'read' && method === 'GET')) return;
    const message = `The provided key '${key.slice(0, 8)}****' does not have the required permissions for this endpoint.`;
    throw new RefusedUnbegunError(403, 'invalid_request_error', message, {
      code: 'more_permissions_required',
    });
  }

  /** Runs `job` at a second of the running clock. A job that no longer applies by then must see so itself. */
  at(second: number, job: () => void): void {
    const clock = this.#running;
    clock.at(second, () => {
      const before = this.#running;
      this.#running = clock;
      try {
        job();
      } finally {
        this.#running = before;
      }
    });
  }

  /** Keeps what was made, and says so by an event. */
  add<Row extends StripeObject & { readonly id: string }>(
    table: Pick<Table<Row>, 'put'>,
    row: Row,
    type?: EventType,
  ): Row {
    table.put(row);
    if (type !== undefined) this.emit(type, row);
    return row;
  }

  /** Changes the row with this id; an event says so, with the old values, unless nothing differs. Returns the row as it is then. */
  change<Row extends StripeObject & { readonly id: string }>(
    table: Pick<Table<Row>, 'put' | 'find'>,
    id: string,
    changes: Changes<Row>,
    type?: EventType,
  ): Row {
    const before = table.find(id);
    if (before === undefined) throw new Error(`${id} is not there to be changed`);
    const previous = previousAttributes(before, changes);
    if (previous === null) return before;
    const after: Row = { ...before, ...changes };
    table.put(after);
    if (type !== undefined) this.emit(type, after, previous);
    return after;
  }

  emit(type: EventType, object: StripeObject, previous: object | null = null): void {
    this.events.emit(type, object, previous, this.now);
  }

  /** Lets a resource hear of what happens in others. */
  react(reaction: (event: InternalEvent) => void): void {
    this.#reactions.push(reaction);
  }

  /** Tells all that react, in the order in which they asked. */
  tell(event: InternalEvent): void {
    for (const reaction of this.#reactions) reaction(event);
  }
}
