import type { PoolClient, QueryConfig } from 'pg';
import { Flight } from '../../database/flight.js';
import { isTransient } from '../../database/transient.js';
import type { Unwritable } from '../engine/projector.js';
import { EventLoopShare } from '../engine/yield-if-due.js';
import { type ByHandRows, byHandStatements, noByHandRows } from './by-hand-rows.js';
import type { KeptCheckout, KeptCustomer, KeptSubscription } from './kept-rows.js';
import { noPaymentRows, type PaymentRows, paymentStatements } from './payment-statements.js';
import { type PlanChangeRows, planChangeStatements } from './plan-change-rows.js';
import {
  catalogStatement,
  checkoutsStatement,
  customersStatement,
  factsStatement,
  feedStatement,
  historyStatement,
  type NewCatalog,
  type NewFact,
  subscriptionsStatement,
  usersStatement,
  versionsStatement,
} from './row-statements.js';
import { type ServedChanges, type ServedMove, servedStatements } from './served-history.js';
import { noSetAsideChanges, type SetAsideChanges, setAsideStatements } from './set-aside-rows.js';
import { noTwoClockRows, type TwoClockRows, twoClockStatements } from './two-clock-statements.js';
import { type UsageRows, usageStatements } from './usage-rows.js';
import type { HistoryEntry, UserRow } from './user-row.js';
import {
  type GrownVersion,
  growOffsets,
  offsetsStatement,
  type RowMove,
  readServing,
} from './version-offsets.js';

/** What a batch changes in the read models; rows are written as they are when the batch ends. */
export class WriteBatch {
  readonly subscriptions = new Set<KeptSubscription>();
  readonly customers = new Set<KeptCustomer>();
  readonly checkouts = new Set<KeptCheckout>();
  readonly payments: PaymentRows = noPaymentRows();
  readonly byHand: ByHandRows = noByHandRows();
  readonly planChanges: PlanChangeRows = new Map();
  readonly usage: UsageRows = new Map();
  readonly users = new Map<string, UserRow>();
  /** Rows of `users` as they were when the batch began. */
  readonly usersBefore = new Map<string, UserRow>();
  readonly facts: NewFact[] = [];
  readonly history: HistoryEntry[] = [];
  /** Every move of a user's row, in order. */
  readonly moves: ServedMove[] = [];
  readonly twoClocks: TwoClockRows;
  readonly setAside: SetAsideChanges = noSetAsideChanges();
  catalog: NewCatalog | null = null;

  /** @param when `late`: it folds on what was set aside, so it is served from now on and not from the events' time */
  constructor(
    private readonly when: ServedChanges['when'] = 'in order',
    twoClocks: TwoClockRows = noTwoClockRows(),
  ) {
    this.twoClocks = twoClocks;
  }

  /** Notes how a user's row moves on, at the fold's time `at` (Unix ms). */
  moveUser(before: UserRow, after: UserRow, history: readonly HistoryEntry[], at: number): void {
    this.moves.push({ before, after, at });
    if (!this.usersBefore.has(after.userId)) this.usersBefore.set(after.userId, before);
    this.users.set(after.userId, after);
    this.history.push(...history);
  }

  /** Makes the rows stay as they are now, whatever is folded before they are written. */
  seal(): void {
    replaceEach(this.subscriptions, (row) => ({ ...row }));
    replaceEach(this.customers, (row) => ({ ...row }));
    replaceEach(this.checkouts, (row) => ({ ...row, observations: [...row.observations] }));
    replaceEach(this.payments.rows, (row) => ({ ...row, observations: [...row.observations] }));
  }

  /**
   * Writes everything with one statement a table, in the order given: equal logs give equal rows. The texts of a statement
   * are made while the server is busy with those before it. `served` replaces the server's clock as what is served
   * by. What belongs to the users `apart` may fail without the rest; returns those of them for whom it did.
   */
  async write(
    client: PoolClient,
    generation: number,
    served: (() => number) | null,
    apart: ReadonlySet<string>,
  ): Promise<ReadonlyMap<string, unknown>> {
    if (apart.size === 0) {
      await this.#writeAll(client, generation, served);
      return new Map();
    }
    await this.#without(apart).#writeAll(client, generation, served);
    return this.#writeEach([...apart], client, generation, served);
  }

  /** Finds which users, or else what belongs to none of them, cannot be written, in a transaction that is rolled back. */
  async findUnwritable(
    client: PoolClient,
    generation: number,
    served: (() => number) | null,
  ): Promise<Unwritable> {
    const all = new Set([...this.users.keys(), ...this.history.map(({ userId }) => userId)]);
    try {
      await client.query('savepoint rest');
      await this.#without(all).#writeAll(client, generation, served);
    } catch (error) {
      if (isTransient(error)) throw error;
      await client.query('rollback to savepoint rest');
      return { whole: error, users: new Map() };
    }
    return { whole: null, users: await this.#writeEach([...all], client, generation, served) };
  }

  async #writeEach(
    users: readonly string[],
    client: PoolClient,
    generation: number,
    served: (() => number) | null,
  ): Promise<ReadonlyMap<string, unknown>> {
    const failed = new Map<string, unknown>();
    for (const userId of users) {
      await client.query('savepoint one_user');
      try {
        await this.#ofOnly(userId).#writeAll(client, generation, served);
      } catch (error) {
        if (isTransient(error)) throw error;
        failed.set(userId, error);
        await client.query('rollback to savepoint one_user');
      }
      await client.query('release savepoint one_user');
    }
    return failed;
  }

  /** All but the rows of these users. */
  #without(users: ReadonlySet<string>): WriteBatch {
    const rest = new WriteBatch(this.when, this.twoClocks);
    for (const row of this.subscriptions) rest.subscriptions.add(row);
    for (const row of this.customers) rest.customers.add(row);
    for (const row of this.checkouts) rest.checkouts.add(row);
    for (const row of this.payments.rows) rest.payments.rows.add(row);
    rest.payments.joins.push(...this.payments.joins);
    for (const [id, grant] of this.byHand.grants) rest.byHand.grants.set(id, grant);
    for (const [id, override] of this.byHand.overrides) rest.byHand.overrides.set(id, override);
    for (const [userId, row] of this.planChanges) rest.planChanges.set(userId, row);
    for (const [key, row] of this.usage) rest.usage.set(key, row);
    rest.facts.push(...this.facts);
    rest.catalog = this.catalog;
    for (const userId of this.users.keys()) if (!users.has(userId)) this.#copyRows(userId, rest);
    rest.history.push(...this.history.filter(({ userId }) => !users.has(userId)));
    rest.moves.push(...this.moves.filter(({ after }) => !users.has(after.userId)));
    const { streams, late, users: marked, marks } = this.setAside;
    rest.setAside.marks.push(...marks.filter(({ userId }) => !users.has(userId)));
    for (const [name, stream] of streams) rest.setAside.streams.set(name, stream);
    for (const [userId, at] of late) rest.setAside.late.set(userId, at);
    for (const [userId, user] of marked) if (!users.has(userId)) rest.setAside.users.set(userId, user);
    return rest;
  }

  #ofOnly(userId: string): WriteBatch {
    const own = new WriteBatch(this.when);
    this.#copyRows(userId, own);
    own.history.push(...this.history.filter((entry) => entry.userId === userId));
    own.moves.push(...this.moves.filter(({ after }) => after.userId === userId));
    own.setAside.marks.push(...this.setAside.marks.filter((mark) => mark.userId === userId));
    const marked = this.setAside.users.get(userId);
    if (marked !== undefined) own.setAside.users.set(userId, marked);
    return own;
  }

  #copyRows(userId: string, to: WriteBatch): void {
    const [before, after] = [this.usersBefore.get(userId), this.users.get(userId)];
    if (before !== undefined) to.usersBefore.set(userId, before);
    if (after !== undefined) to.users.set(userId, after);
  }

  async #writeAll(client: PoolClient, generation: number, served: (() => number) | null): Promise<void> {
    const loopShare = new EventLoopShare();
    const { moves, catalog, when } = this;
    const { marks } = this.setAside;
    const servesMore = moves.length > 0 || marks.length > 0 || catalog !== null;
    const ends = this.#ends();
    const serving = servesMore ? await readServing(client, generation, ends) : null;
    const grown = serving === null ? [] : growOffsets(serving, ends, served);
    const changes = { moves, marks, catalog, when };
    const statements = [
      ...(grown.length > 0 ? [() => offsetsStatement(grown)] : []),
      ...this.#statements(generation, serving === null ? [] : this.#raised(grown)),
      ...(serving === null ? [] : servedStatements(changes, served)),
    ];
    const flight = new Flight(client);
    for (const make of statements) {
      await flight.send(make());
      await loopShare.yieldIfDue();
    }
    await flight.landed();
  }

  /** Of each user whose row moved, as it was and as it is in the end. */
  #ends(): readonly RowMove[] {
    return [...this.usersBefore].flatMap(([userId, before]) => {
      const after = this.users.get(userId);
      return after === undefined ? [] : [{ before, after }];
    });
  }

  /** Whose version has grown, by an event or without one: the lines of the feed. */
  #raised(grown: readonly GrownVersion[]): readonly GrownVersion[] {
    const raises = this.history.filter(({ raised }) => raised);
    const raised = new Set(raises.map(({ userId }) => userId));
    return [
      ...raises.map(({ userId, counter, validFrom: at }) => ({ userId, counter, at })),
      ...grown.filter(({ userId }) => !raised.has(userId)),
    ];
  }

  #statements(generation: number, fed: readonly GrownVersion[]): readonly (() => QueryConfig)[] {
    const { catalog } = this;
    const raises = this.history.filter((entry) => entry.raised);
    return [
      ...(this.facts.length > 0 ? [() => factsStatement(generation, this.facts)] : []),
      ...(this.subscriptions.size > 0
        ? [() => subscriptionsStatement(generation, [...this.subscriptions])]
        : []),
      ...(this.customers.size > 0 ? [() => customersStatement(generation, [...this.customers])] : []),
      ...(this.checkouts.size > 0 ? [() => checkoutsStatement(generation, [...this.checkouts])] : []),
      ...(this.users.size > 0 ? [() => usersStatement(generation, [...this.users.values()])] : []),
      ...(this.history.length > 0 ? [() => historyStatement(generation, this.history)] : []),
      ...(raises.length > 0 ? [() => versionsStatement(generation, raises)] : []),
      ...(fed.length > 0 ? [() => feedStatement(fed)] : []),
      ...(catalog === null ? [] : [() => catalogStatement(generation, catalog)]),
      ...paymentStatements(generation, this.payments),
      ...byHandStatements(generation, this.byHand),
      ...planChangeStatements(generation, this.planChanges),
      ...usageStatements(generation, this.usage),
      ...twoClockStatements(generation, this.twoClocks),
      ...setAsideStatements(generation, this.setAside),
    ];
  }
}

function replaceEach<Row>(rows: Set<Row>, copyOf: (row: Row) => Row): void {
  const all = [...rows];
  rows.clear();
  for (const row of all) rows.add(copyOf(row));
}
