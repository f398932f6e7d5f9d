import type { Pool } from 'pg';
import type { EventStore } from '../../event-store/event-store.js';
import type { PlanCatalog } from '../../events/catalog.events.js';
import { comparePositions } from '../../events/stored-event.js';
import type { Entitlement } from '../../policy/entitlement.js';
import type { ReasonWithEvents } from '../../projections/read-models/reason-events.js';
import { ReadModelNotReadyError } from '../../projections/read-models/served-row.js';
import { CatalogHistory } from '../as-of/catalog-history.js';
import { UserEventsReader } from '../as-of/user-events.js';
import { readUserStreams } from '../as-of/user-streams.reader.js';
import { HistoryRebuiltError, RebuildNeededError } from '../errors.js';
import type { Life } from '../replay/replay.js';
import { causesOf, type HistoryCause } from './cause.js';
import { type Change, changesBetween } from './changes.js';
import { type HistoryOrder, type HistoryPlace, type HistoryRow, readHistory } from './history.reader.js';
import { type Explainable, reasonsOf } from './history-reasons.js';
import { isUpgrade, type Upgrade, upgradeOf } from './upgrades.js';

/** A snapshot that held, and what made it so. Times are RFC 3339. */
export interface HistoryEntry {
  readonly from: string;
  /** `null`: nothing has followed yet. */
  readonly until: string | null;
  readonly snapshot: Entitlement;
  readonly changed: readonly Change[];
  readonly cause: HistoryCause;
  /** Of upgrades, where they were asked for. */
  readonly upgrade?: Upgrade;
  /** Where they were asked for; `null` of what the running code judges otherwise. */
  readonly reasons?: readonly ReasonWithEvents[] | null;
}

/** A page of a history; `next` is the cursor of the one behind it. */
export interface HistoryPage {
  readonly items: readonly HistoryEntry[];
  readonly next: HistoryPlace | null;
}

/** What is asked of a history: every snapshot, or the upgrades alone. */
export interface HistoryQuestion {
  readonly order: HistoryOrder;
  readonly behind: HistoryPlace | null;
  readonly limit: number;
  readonly kind: 'every' | 'upgrade';
  /** Whether each snapshot comes with the reasons of the policy. */
  readonly reasons: 'left out' | 'told';
}

export interface UserHistoryOptions {
  readonly pool: Pool;
  readonly store: EventStore;
  /** The setting `STREAM_PREFIX`. */
  readonly streamPrefix: string;
}

/** Rows that are read at once to find upgrades among them. */
const PAGE = 500;

/** Reads what a user could do, from the first day on. */
export class UserHistory {
  readonly #events: UserEventsReader;
  readonly #catalogs: CatalogHistory;

  constructor(private readonly options: UserHistoryOptions) {
    const { store, streamPrefix } = options;
    this.#events = new UserEventsReader(store, streamPrefix);
    this.#catalogs = new CatalogHistory(store, streamPrefix);
  }

  /** @throws HistoryRebuiltError, RebuildNeededError, ReadModelNotReadyError, and what the stores answer */
  async page(userId: string, question: HistoryQuestion): Promise<HistoryPage> {
    const { kind, reasons, limit } = question;
    const explainable = kind === 'every' && reasons === 'left out' ? null : await this.#explainable(userId);
    const found =
      kind === 'upgrade' && explainable !== null
        ? await this.#upgrades(question, explainable)
        : await this.#rows(userId, question, limit + 1);
    const rows = found.slice(0, limit);
    const last = rows.at(-1);
    const next =
      found.length > limit && last !== undefined ? { generation: last.generation, seq: last.seq } : null;
    return { items: await this.#entries(rows, question, explainable), next };
  }

  /** Everything that a user's life is told from. @throws as `page` does */
  async life(userId: string): Promise<Life> {
    const explainable = await this.#explainable(userId);
    const rows = await this.#wholeRows(userId);
    return { events: explainable.events, rows, reasons: await reasonsOf(rows, explainable) };
  }

  /** Every snapshot, the oldest first, with the reasons of the policy. @throws as `page` does */
  async whole(userId: string): Promise<readonly HistoryEntry[]> {
    const explainable = await this.#explainable(userId);
    const rows = await this.#wholeRows(userId);
    return this.#entries(rows, { kind: 'every', reasons: 'told' }, explainable);
  }

  async #wholeRows(userId: string): Promise<readonly HistoryRow[]> {
    const rows: HistoryRow[] = [];
    for (let behind: HistoryPlace | null = null; ; ) {
      const page: readonly HistoryRow[] = await this.#rows(userId, { order: 'oldest', behind }, PAGE);
      rows.push(...page);
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) return rows;
      behind = { generation: last.generation, seq: last.seq };
    }
  }

  async #rows(
    userId: string,
    { order, behind }: Pick<HistoryQuestion, 'order' | 'behind'>,
    limit: number,
  ): Promise<readonly HistoryRow[]> {
    const rows = await readHistory(this.options.pool, userId, { order, behind, limit });
    if (rows === null) throw new HistoryRebuiltError();
    return rows;
  }

  /** One upgrade more than the page takes, so that it is known whether there are more. */
  async #upgrades(
    { order, behind, limit }: HistoryQuestion,
    explainable: Explainable,
  ): Promise<readonly HistoryRow[]> {
    const upgrades: HistoryRow[] = [];
    for (let place = behind; ; ) {
      const rows: readonly HistoryRow[] = await this.#rows(
        explainable.userId,
        { order, behind: place },
        PAGE,
      );
      for (const row of rows) {
        const catalog = await this.#catalogOf(row, explainable);
        if (catalog !== null && isUpgrade(row, catalog)) upgrades.push(row);
        if (upgrades.length > limit) return upgrades;
      }
      const last = rows.at(-1);
      if (last === undefined || rows.length < PAGE) return upgrades;
      place = { generation: last.generation, seq: last.seq };
    }
  }

  /** The catalogue in force when a snapshot came to hold. */
  async #catalogOf({ event, from }: HistoryRow, { published }: Explainable): Promise<PlanCatalog | null> {
    const inForce = published.findLast(({ position, recordedAt }) =>
      event === null ? recordedAt <= from : comparePositions(position, event.position) <= 0,
    );
    return inForce === undefined ? null : this.#catalogs.catalog(inForce);
  }

  async #entries(
    rows: readonly HistoryRow[],
    { kind, reasons }: Pick<HistoryQuestion, 'kind' | 'reasons'>,
    explainable: Explainable | null,
  ): Promise<readonly HistoryEntry[]> {
    const [causes, why] = await Promise.all([
      causesOf(this.options.store, rows),
      explainable === null ? null : reasonsOf(rows, explainable),
    ]);
    return rows.flatMap((row, n) => {
      const cause = causes[n];
      if (cause === undefined) return [];
      const told = why?.get(row.seq) ?? null;
      const upgrade =
        kind === 'upgrade' ? { upgrade: upgradeOf(row, told ?? [], explainable?.events ?? []) } : {};
      return {
        from: new Date(row.from).toISOString(),
        until: row.until === null ? null : new Date(row.until).toISOString(),
        snapshot: row.snapshot,
        changed: changesBetween(row.before, row.snapshot),
        cause,
        ...upgrade,
        ...(reasons === 'told' ? { reasons: told } : {}),
      };
    });
  }

  async #explainable(userId: string): Promise<Explainable> {
    const streams = await readUserStreams(this.options.pool, userId, null);
    if (streams === null) throw new ReadModelNotReadyError();
    if (!streams.isWhole) throw new RebuildNeededError();
    const [{ events }, published] = await Promise.all([
      this.#events.read(userId, streams),
      this.#catalogs.publications(streams.publications),
    ]);
    const inOrder = [...events].sort((a, b) => comparePositions(a.position, b.position));
    return { userId, events: inOrder, published, catalogs: this.#catalogs };
  }
}
