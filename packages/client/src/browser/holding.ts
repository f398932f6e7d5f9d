import type { Clock } from './environment.js';
import { TenureError } from './errors.js';
import type { Ask } from './requests.js';
import { type AccessChange, accessChange, type Held, isNoOlder, laterOf, type Snapshot } from './snapshot.js';
import { type ClientState, NOTHING_YET } from './state.js';

/** Longest time that `setTimeout` can wait. */
const LONGEST_TIMER_MS = 2_147_483_647;

/** What a new snapshot was to the one before. */
export interface Taken {
  readonly held: Held;
  /** `null` of the first that was seen. */
  readonly previous: Snapshot | null;
  readonly change: AccessChange;
  /** Another body than before. */
  readonly isNews: boolean;
}

/** The one snapshot that is held of a user, how sure it is, and what an answer must know to replace it. */
export class Holding {
  #held: Held | null;
  /** Position of the newest snapshot, or of a later write; `null` when nothing has to be known. */
  #floor: string | null;
  #state: ClientState;
  #cancelExpiry = () => {};

  constructor(
    initial: Held | null,
    lastKnown: Snapshot | null,
    private readonly clock: Clock,
    private readonly listeners: { readonly onState: () => void; readonly onExpired: () => void },
  ) {
    this.#held = initial;
    this.#floor = initial?.snapshot.position ?? null;
    this.#state =
      initial === null
        ? { ...NOTHING_YET, lastKnown }
        : { ...NOTHING_YET, status: 'live', snapshot: initial.snapshot, lastKnown: initial.snapshot };
    if (initial !== null) this.#expireAtItsEnd(initial.snapshot);
  }

  get state(): ClientState {
    return this.#state;
  }

  get held(): Held | null {
    return this.#held;
  }

  ask(waitSeconds: number | null): Ask {
    return { held: this.#held, minPosition: this.#floor, waitSeconds };
  }

  /** Answers must know this position from now on. */
  mustKnow(position: string): void {
    this.#floor = laterOf(this.#floor, position);
  }

  /** The log does not reach that far (any more): nothing has to be known. Whether something had. */
  forgetPosition(): boolean {
    const hadOne = this.#floor !== null;
    this.#floor = null;
    return hadOne;
  }

  /**
   * Takes a snapshot, or `null` where it is older than what is held. An answer that knew all that had to be known counts in
   * any case: versions of a service that was restored to an earlier state may be lower.
   */
  take(held: Held, answerTo: Ask | null): Taken | null {
    const before = this.#held?.snapshot ?? null;
    const knewAll =
      answerTo !== null &&
      (this.#floor === null ||
        (answerTo.minPosition !== null &&
          laterOf(answerTo.minPosition, this.#floor) === answerTo.minPosition));
    if (before !== null && !knewAll && !isNoOlder(held.snapshot, before)) return null;
    const previous = before ?? this.#state.lastKnown;
    const isNews = before === null || JSON.stringify(before) !== JSON.stringify(held.snapshot);
    this.#held = held;
    this.#floor = laterOf(this.#floor, held.snapshot.position);
    this.#expireAtItsEnd(held.snapshot);
    const snapshot = isNews ? held.snapshot : before;
    this.#set({ status: 'live', snapshot, lastKnown: snapshot, isExpired: false, error: null });
    const change = previous === null ? 'same' : accessChange(previous, held.snapshot);
    return { held, previous, change, isNews };
  }

  /** What is held is what the service has. */
  confirm(): void {
    if (this.#held === null) return;
    if (this.#state.isExpired) this.#expireAtItsEnd(this.#held.snapshot);
    this.#set({ status: 'live', isExpired: false, error: null });
  }

  /** What is held may be out of date from now on. */
  doubt(error: TenureError | null): void {
    if (this.#held !== null) this.#set({ status: 'stale', error });
    else if (error !== null) this.#set({ status: 'error', error });
  }

  /** Shows nothing any more, but why. */
  clear(error: TenureError | null): void {
    this.#cancelExpiry();
    this.#held = null;
    this.#floor = null;
    this.#set({ ...NOTHING_YET, ...(error === null ? {} : { status: 'error', error }) });
  }

  /** By the clock of the device, from now on: one that is ahead of `validUntil` already is wrong, for it was just served. */
  #expireAtItsEnd({ validUntil }: Snapshot): void {
    this.#cancelExpiry();
    const leftMs = validUntil === null ? 0 : Date.parse(validUntil) - this.clock.now();
    if (!(leftMs > 0)) return;
    this.#cancelExpiry = this.clock.after(Math.min(leftMs, LONGEST_TIMER_MS), () => {
      if (leftMs > LONGEST_TIMER_MS && this.#held !== null) return this.#expireAtItsEnd(this.#held.snapshot);
      this.#set({ status: 'stale', isExpired: true });
      this.listeners.onExpired();
    });
  }

  #set(changes: Partial<ClientState>): void {
    const now = { ...this.#state, ...changes };
    const names = Object.keys(now) as (keyof ClientState)[];
    if (names.every((name) => now[name] === this.#state[name])) return;
    this.#state = now;
    this.listeners.onState();
  }
}
