import { elapsedMs, type Instant } from './clock.js';

/** A line of the revocation feed, as far as a guard reads it (docs/DESIGN.md, section 10). */
export interface RevocationLine {
  readonly kind: string;
  readonly id: string;
  readonly version: number;
}

/** Why the feed does not say who may: `silent` for too long, `reset` and not read anew, or a line that is not understood. */
export type FeedState = 'fresh' | 'silent' | 'reset' | 'unreadable';

/** Tokens live for an hour at most, so a version that is older than two of these turns concerns none. */
const TURN_MS = 2 * 3_600_000;

/**
 * What a guard knows from the revocation feed. Versions are kept in two turns and forgotten after the second, so memory is
 * bounded by who changed in the last hours.
 */
export class RevocationMemory {
  #recent = new Map<string, number>();
  #older = new Map<string, number>();
  #turnBegan: Instant;
  /** When the last whole answer was asked for; `null` before the first one, and after a reset. */
  #askedAt: Instant | null = null;
  #state: 'read' | 'reset' | 'unreadable' = 'read';
  #issuedFrom = 0;

  constructor(now: Instant) {
    this.#turnBegan = now;
  }

  /** Seconds since 1970: the versions of tokens issued before are of another epoch, and mean nothing. */
  get issuedFrom(): number {
    return this.#issuedFrom;
  }

  /** The least version of the user's tokens that still counts, as far as it is known. */
  leastVersionOf(userId: string): number {
    return this.#recent.get(userId) ?? this.#older.get(userId) ?? 0;
  }

  /** Takes lines in any order, also twice. `unknown_kind`: one of them was not understood, and those after it not taken. */
  take(lines: readonly RevocationLine[], now: Instant): 'taken' | 'unknown_kind' {
    this.#turn(now);
    for (const { kind, id, version } of lines) {
      if (kind !== 'user') {
        this.#state = 'unreadable';
        return 'unknown_kind';
      }
      if (version > this.leastVersionOf(id)) this.#recent.set(id, version);
    }
    return 'taken';
  }

  /** All lines there are were read, by answers of which the last was asked for at `askedAt`. */
  readToEnd(askedAt: Instant): void {
    this.#askedAt = askedAt;
    this.#state = 'read';
  }

  /** What was read is of another epoch: forgets it. @param issuedFrom see there */
  reset(issuedFrom: number): void {
    this.#recent.clear();
    this.#older.clear();
    this.#askedAt = null;
    this.#state = 'reset';
    this.#issuedFrom = issuedFrom;
  }

  /** How long ago the last answer was asked for: by when it came it may long have been held on its way. */
  ageMs(now: Instant): number {
    return this.#askedAt === null ? Number.POSITIVE_INFINITY : elapsedMs(this.#askedAt, now);
  }

  state(now: Instant, maxStaleMs: number): FeedState {
    if (this.#state !== 'read') return this.#state;
    return this.ageMs(now) <= maxStaleMs ? 'fresh' : 'silent';
  }

  #turn(now: Instant): void {
    if (elapsedMs(this.#turnBegan, now) < TURN_MS) return;
    this.#older = this.#recent;
    this.#recent = new Map();
    this.#turnBegan = now;
  }
}
