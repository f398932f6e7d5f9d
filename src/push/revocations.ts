import type { EventStream } from '../http/event-stream.js';
import { eventText } from '../http/event-stream.js';
import { ProblemError } from '../http/problem.js';
import type {
  RevocationFeedReader,
  RevocationPage,
} from '../projections/read-models/revocation-feed.reader.js';
import type { SnapshotChanges } from '../projections/read-models/snapshot-changes.js';
import type { Pseudonyms } from '../pseudonyms/pseudonyms.js';
import { ChangeSignal } from './change-signal.js';
import { cursorText, parseCursor, type RevocationCursor } from './revocation-cursor.js';

/** A line of the feed as it is told (DESIGN 10): whose version rose, to what, and where a reader goes on. */
export interface Revocation {
  readonly kind: 'user';
  readonly id: string;
  readonly version: number;
  readonly cursor: string;
}

/** Lines after a cursor; `cursor` is where a reader goes on, and `hasMore` whether there is more at once. */
export interface RevocationsPage {
  readonly revocations: readonly Revocation[];
  readonly cursor: string;
  readonly hasMore: boolean;
}

export interface RevocationsOptions {
  /** Tells whose pair is gone: the feed leaves erased users out. `null` or left out: there are none. */
  readonly pseudonyms?: Pick<Pseudonyms, 'withUserId'> | null;
  readonly reader: RevocationFeedReader;
  readonly changes: Pick<SnapshotChanges, 'subscribe' | 'onLostCommits'>;
  /** Whether this instance is the one that drops old lines. */
  readonly isOurs: () => boolean;
  readonly onTrouble: (error: unknown) => void;
  readonly heartbeatMs?: number;
}

/** A reader knows by it that the feed is not silent, only quiet. */
const HEARTBEAT_MS = 5_000;
/** The database is looked at so often whatever is told, so that nothing depends on notifications. */
const LOOK_MS = 1_000;
/** What was read longer ago says nothing of now, and makes no heartbeat. */
const FRESH_MS = 1_000;
/** Lines that a stream reads at once. */
const LINES_AT_ONCE = 500;
/** Lines are kept for a day, and looked through every ten minutes. */
const KEPT_MS = 86_400_000;
const DROP_EVERY_MS = 600_000;

/** What a stream read at once: the page, and its lines as events. */
interface Read {
  readonly page: RevocationsPage;
  readonly at: RevocationCursor;
  readonly text: string;
  /** When it was asked for, on the clock of `performance.now()`. */
  readonly askedAt: number;
}

/** Tells the revocation feed as pages and as streams: one read of the database for however many stand at one place. */
export class Revocations {
  readonly #signal = new ChangeSignal();
  /** Reads of streams under way that began after the last change, by where they begin. */
  readonly #reads = new Map<string, Promise<Read>>();
  readonly #unsubscribe: () => void;
  readonly #timer: NodeJS.Timeout;

  constructor(private readonly options: RevocationsOptions) {
    const { reader, changes } = options;
    this.#unsubscribe = changes.subscribe((changed) => {
      if (changed === 'all' || changed.size > 0) this.#changed();
    });
    changes.onLostCommits(() => {
      reader.lostCommits();
      // Nobody may be reading here: whoever reads elsewhere learns of it by the epoch.
      reader.page(0n, 0).catch(options.onTrouble);
    });
    this.#timer = setInterval(() => this.#dropOld().catch(options.onTrouble), DROP_EVERY_MS);
    this.#timer.unref();
  }

  /** Called by Nest when the application closes. */
  onModuleDestroy(): void {
    clearInterval(this.#timer);
    this.#unsubscribe();
  }

  /**
   * At most `limit` lines after a cursor, from the oldest line kept when it is `null`.
   * @throws ProblemError `invalid_request`, and `feed_reset` for a cursor of another epoch, beyond the end, or older than what
   * is kept
   */
  async page(after: string | null, limit: number): Promise<RevocationsPage> {
    return (await this.#read(after === null ? null : parseCursor(after), limit)).page;
  }

  /** Whether a stream may begin after this cursor, and where. @throws as `page` */
  async begin(after: string | null): Promise<RevocationCursor> {
    const asked = after === null ? null : parseCursor(after);
    const page = await this.options.reader.page(asked?.sequence ?? 0n, 0);
    return placeIn(page, asked);
  }

  /**
   * Sends each line after a cursor as it comes, as an event `revocation`, and every five seconds that the feed was read to
   * its end, an event `heartbeat`. Comes back when nobody listens any more.
   * @throws ProblemError `feed_reset`, and what the database answers
   */
  async stream(from: RevocationCursor, stream: EventStream): Promise<void> {
    const { heartbeatMs = HEARTBEAT_MS } = this.options;
    let at = from;
    let beatAt = 0;
    while (!stream.signal.aborted) {
      const { count } = this.#signal;
      const read = await this.#sharedRead(at);
      if (stream.signal.aborted) return;
      at = read.at;
      if (read.text !== '') {
        stream.sendText(read.text);
        await stream.room();
      }
      if (read.page.hasMore) continue;
      const now = performance.now();
      if (now >= beatAt && now - read.askedAt < FRESH_MS) {
        stream.sendText(heartbeatText(at));
        beatAt = now + heartbeatMs;
      }
      const quiet = Math.min(LOOK_MS, beatAt - now);
      await this.#signal.after(count, quiet, stream.signal);
    }
  }

  #changed(): void {
    // What is asked from now on must see the change.
    this.#reads.clear();
    this.#signal.changed();
  }

  #sharedRead(at: RevocationCursor): Promise<Read> {
    const place = cursorText(at);
    const known = this.#reads.get(place);
    if (known !== undefined) return known;
    const read = this.#read(at, LINES_AT_ONCE).finally(() => {
      if (this.#reads.get(place) === read) this.#reads.delete(place);
    });
    this.#reads.set(place, read);
    return read;
  }

  async #read(after: RevocationCursor | null, limit: number): Promise<Read> {
    const askedAt = performance.now();
    const page = await this.options.reader.page(after?.sequence ?? 0n, limit + 1);
    const { epoch } = page;
    const begin = placeIn(page, after);
    const read = page.lines.slice(0, limit);
    const last = read.at(-1);
    const at = last === undefined ? begin : { epoch, sequence: BigInt(last.sequence) };
    const { pseudonyms = null } = this.options;
    const lines = pseudonyms === null ? read : await pseudonyms.withUserId(read, ({ userId }) => userId);
    const revocations = lines.map(({ sequence, userId, version }) => ({
      kind: 'user' as const,
      id: userId,
      version,
      cursor: `${epoch}.${sequence}`,
    }));
    const hasMore = page.lines.length > limit;
    const text = revocations
      .map((line) => eventText('revocation', JSON.stringify(line), line.cursor))
      .join('');
    return { page: { revocations, cursor: cursorText(at), hasMore }, at, text, askedAt };
  }

  async #dropOld(): Promise<void> {
    if (this.options.isOurs()) await this.options.reader.dropBefore(Date.now() - KEPT_MS);
  }
}

/** Where reading goes on after a cursor, `null` for the oldest line kept. @throws ProblemError `feed_reset` */
function placeIn({ epoch, head, dropped }: RevocationPage, after: RevocationCursor | null): RevocationCursor {
  if (after === null) return { epoch, sequence: dropped };
  if (after.epoch !== epoch || after.sequence > head || after.sequence < dropped) {
    throw new ProblemError('feed_reset', 'The cursor stands for nothing here any more. Read without one.');
  }
  return after;
}

function heartbeatText(at: RevocationCursor): string {
  const cursor = cursorText(at);
  return eventText('heartbeat', JSON.stringify({ cursor }), cursor);
}
