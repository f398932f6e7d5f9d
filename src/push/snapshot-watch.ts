import { setTimeout as pause } from 'node:timers/promises';
import type { Served } from '../projections/entitlements/snapshot.js';
import type { EntitlementReader } from '../projections/read-models/entitlement.reader.js';
import type { SnapshotChanges } from '../projections/read-models/snapshot-changes.js';
import { ToldSnapshot } from './told-snapshot.js';

/** Gets a user's snapshot as it is now, whenever it may be another one, and soon after it began to listen. */
export type SnapshotListener = (told: ToldSnapshot) => void;

export interface SnapshotWatchOptions {
  readonly reader: Pick<EntitlementReader, 'read' | 'isConfirmed'>;
  readonly changes: Pick<SnapshotChanges, 'subscribe'>;
  /** The clock that snapshots are served by, Unix ms. */
  readonly now: () => number;
  readonly onTrouble: (error: unknown) => void;
}

interface Watched {
  /** Listeners, each with how many reads had begun when it came: what those find may be older than what it knows. */
  readonly listeners: Map<SnapshotListener, number>;
  /** What was told last; `null` before the first. */
  told: ToldSnapshot | null;
}

/** How often what time alone changes is looked for, in milliseconds. */
const TICK_MS = 250;
/** Without a confirmed checkpoint the database is asked about everyone this often, in milliseconds. */
const POLL_MS = 1_000;
/** Users who are read at once. */
const USERS_AT_ONCE = 500;

/**
 * Follows the snapshots of the users somebody listens to: one read a changed user, whoever listens and however many. One read at a
 * time, so that nothing older comes after something newer; and who begins to listen is told of reads alone that begin later, since a
 * client may know more than one that is under way. Who changed is known from the fold of this instance or the
 * checkpoint that it follows; when time alone changes something, from the snapshot; and where this instance hears of
 * neither, it asks the database again and again.
 */
export class SnapshotWatch {
  readonly #watched = new Map<string, Watched>();
  #due = new Set<string>();
  #isReading = false;
  /** How many reads have begun. */
  #reads = 0;
  #timer: NodeJS.Timeout | null = null;
  #polledAt = 0;
  readonly #unsubscribe: () => void;

  constructor(private readonly options: SnapshotWatchOptions) {
    this.#unsubscribe = options.changes.subscribe((changed) => {
      if (changed === 'all') this.#read(this.#watched.keys());
      else if (changed.size > 0) this.#read(changed);
    });
  }

  /** How many users are listened to. */
  get users(): number {
    return this.#watched.size;
  }

  /** Begins to tell a user's snapshots to `listener`; returns what ends that. */
  listen(userId: string, listener: SnapshotListener): () => void {
    const watched = this.#watched.get(userId) ?? { listeners: new Map(), told: null };
    watched.listeners.set(listener, this.#reads);
    this.#watched.set(userId, watched);
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
    this.#read([userId]);
    return () => {
      watched.listeners.delete(listener);
      if (watched.listeners.size > 0) return;
      this.#watched.delete(userId);
      if (this.#watched.size === 0) this.#rest();
    };
  }

  /** Called by Nest when the application closes. */
  onModuleDestroy(): void {
    this.#unsubscribe();
    this.#rest();
  }

  #rest(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #tick(): void {
    const now = this.options.now();
    const isDue = ({ told }: Watched): boolean => told !== null && now >= told.served.holdsUntil;
    this.#read([...this.#watched].flatMap(([userId, watched]) => (isDue(watched) ? [userId] : [])));
    if (this.options.reader.isConfirmed || performance.now() - this.#polledAt < POLL_MS) return;
    this.#polledAt = performance.now();
    this.#read(this.#watched.keys());
  }

  /** Has users read who are listened to, behind the read that is under way. */
  #read(users: Iterable<string>): void {
    for (const userId of users) if (this.#watched.has(userId)) this.#due.add(userId);
    if (this.#due.size === 0) return;
    if (!this.#isReading) void this.#readDue();
  }

  /** Reads until nobody is due. In the very turn in which it sees that another may begin, so that nobody is left between. */
  async #readDue(): Promise<void> {
    this.#isReading = true;
    try {
      await Promise.resolve(); // what is asked for in one turn is read together
      while (this.#due.size > 0) {
        if (!(await this.#readSome()) && this.#timer === null) return;
      }
    } finally {
      this.#isReading = false;
    }
  }

  /** Reads some of those who are due; whether that went well. One that failed is tried again after a pause. */
  async #readSome(): Promise<boolean> {
    const users = [...this.#due].slice(0, USERS_AT_ONCE);
    for (const userId of users) this.#due.delete(userId);
    const wanted = users.filter((userId) => this.#watched.has(userId));
    this.#reads += 1;
    const number = this.#reads;
    try {
      const read = await Promise.all(wanted.map((userId) => this.options.reader.read(userId)));
      for (const served of read) this.#tell(served, number);
      return true;
    } catch (error) {
      this.options.onTrouble(error);
      for (const userId of wanted) this.#due.add(userId);
      await pause(TICK_MS);
      return false;
    }
  }

  #tell(served: Served, read: number): void {
    const watched = this.#watched.get(served.userId);
    if (watched === undefined) return;
    const { told: last } = watched;
    const isSame =
      last !== null && last.served.etag === served.etag && last.served.position === served.position;
    const told = isSame ? last : new ToldSnapshot(served);
    watched.told = told;
    for (const [listener, before] of [...watched.listeners]) if (read > before) listener(told);
  }
}
