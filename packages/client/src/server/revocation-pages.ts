import { elapsedMs, type Instant } from './clock.js';
import { isRecord } from './entitlement-token.js';
import { answerError, askJson, type Connection, TenureAnswerError } from './requests.js';
import type { RevocationLine, RevocationMemory } from './revocation-memory.js';

/** The most that Tenure gives at once. */
const LINES_A_PAGE = 1_000;
/** A feed that is reset again and again while it is read is given up until the next try. */
const MOST_RESETS = 3;
/** After a read that failed, others fail with it for so long instead of asking again, or for as long as the answer asked for. */
const FAILS_FOR_MS = { least: 1_000, most: 15_000 };

export interface FeedPosition {
  /** Where reading goes on; everything before was taken. `null`: at the oldest line kept. */
  cursor: string | null;
  /** How often the feed was reset: an answer to what was asked before the last time counts no longer. */
  resets: number;
}

/** Reads the revocation feed page by page into a memory. */
export class RevocationPages {
  #reading: Promise<void> | null = null;
  #failed: { readonly at: Instant; readonly forMs: number; readonly error: unknown } | null = null;

  constructor(
    private readonly connection: Connection,
    private readonly memory: RevocationMemory,
    private readonly position: FeedPosition,
    private readonly onReset: () => void,
  ) {}

  /** Whether the last read failed. */
  get hasFailed(): boolean {
    return this.#failed !== null;
  }

  /**
   * Reads to the end, together with whoever reads already. Rejects with TenureAnswerError, also where a line is not understood,
   * and as `askJson`; for a second after a failure, or for as long as its `Retry-After` says, with that one again.
   */
  readToEnd(signal: AbortSignal): Promise<void> {
    const { clock } = this.connection;
    if (this.#reading !== null) return this.#reading;
    if (this.#failed !== null && elapsedMs(this.#failed.at, clock.now()) < this.#failed.forMs) {
      return Promise.reject(this.#failed.error);
    }
    this.#reading = this.#readToEnd(signal)
      .then(() => {
        this.#failed = null;
      })
      .catch((error: unknown) => {
        this.#failed = { at: clock.now(), forMs: failsFor(error), error };
        throw error;
      })
      .finally(() => {
        this.#reading = null;
      });
    return this.#reading;
  }

  async #readToEnd(signal: AbortSignal): Promise<void> {
    const { clock } = this.connection;
    let timesReset = 0;
    while (timesReset <= MOST_RESETS) {
      const askedAt = clock.now();
      const { cursor, resets } = this.position;
      const after = cursor === null ? '' : `&after=${encodeURIComponent(cursor)}`;
      const path = `/v1/revocations?limit=${LINES_A_PAGE}${after}`;
      const { response, body } = await askJson(this.connection, path, { signal });
      if (this.position.resets !== resets) continue;
      if (response.status === 410) {
        timesReset += 1;
        this.reset(response);
        continue;
      }
      const page = pageOf(body);
      if (page === null) {
        throw answerError(
          `The revocation feed was answered by ${response.status} and no page of it`,
          response,
        );
      }
      takeOrRefuse(this.memory, page.revocations, clock.now());
      this.position.cursor = page.cursor;
      if (page.hasMore) continue;
      this.memory.readToEnd(askedAt);
      return;
    }
    throw new TenureAnswerError('The revocation feed is reset again and again', 410);
  }

  /** What was read counts no longer: 410 `feed_reset`. */
  reset(response: Response): void {
    const at = Date.parse(response.headers.get('date') ?? '');
    const wall = Number.isNaN(at) ? this.connection.clock.now().wall : at;
    this.position.cursor = null;
    this.position.resets += 1;
    this.memory.reset(Math.floor(wall / 1_000));
    this.onReset();
  }
}

function failsFor(error: unknown): number {
  const asked = error instanceof TenureAnswerError ? (error.retryAfterMs ?? 0) : 0;
  return Math.min(Math.max(FAILS_FOR_MS.least, asked), FAILS_FOR_MS.most);
}

/** @throws TenureAnswerError where a line is of an unknown kind: the cursor must not go past it. */
export function takeOrRefuse(memory: RevocationMemory, lines: readonly RevocationLine[], now: Instant): void {
  if (memory.take(lines, now) === 'unknown_kind') {
    throw new TenureAnswerError(
      'The revocation feed has a line of a kind that this version does not know',
      200,
    );
  }
}

interface Page {
  readonly revocations: readonly RevocationLine[];
  readonly cursor: string;
  readonly hasMore: boolean;
}

function pageOf(body: unknown): Page | null {
  if (!isRecord(body)) return null;
  const { revocations, cursor, hasMore } = body;
  if (!Array.isArray(revocations) || typeof cursor !== 'string' || typeof hasMore !== 'boolean') return null;
  const lines = revocations.map(lineOf);
  return lines.every((line) => line !== null) ? { revocations: lines, cursor, hasMore } : null;
}

/** A line of the feed; `null` of what is none. Lines of other kinds may have no version. */
export function lineOf(value: unknown): RevocationLine | null {
  if (!isRecord(value) || typeof value.kind !== 'string') return null;
  const { kind, id, version } = value;
  if (kind !== 'user') return { kind, id: '', version: 0 };
  return typeof id === 'string' && typeof version === 'number' ? { kind, id, version } : null;
}
