import { isEarlier, type LiveCheckpoint } from '../engine/checkpoint.js';

/** Gets whose rows changed, once a read gives what they are now; told at every confirmation, mostly with nobody. */
export type ChangeListener = (changed: ReadonlySet<string> | 'all') => void;

/** Tells the rest of the process whose snapshots changed, whichever instance wrote them. */
export class SnapshotChanges {
  readonly #listeners = new Set<ChangeListener>();
  readonly #onLost = new Set<() => void>();
  #changed: Set<string> | 'all' = new Set();
  #known: LiveCheckpoint | null = null;

  /** Calls `listener` from now on; returns what ends that. */
  subscribe(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls `listener` whenever commits that this instance has confirmed are gone: a database failed over and lost its last. */
  onLostCommits(listener: () => void): void {
    this.#onLost.add(listener);
  }

  /** As `ProjectionListener.onChanged`. */
  changed(users: readonly string[] | 'all'): void {
    if (users === 'all') this.#changed = 'all';
    else if (this.#changed !== 'all') for (const user of users) this.#changed.add(user);
  }

  /** As `ProjectionListener.onConfirmed`, after the readers were told. */
  confirmed(live: LiveCheckpoint, moved: boolean): void {
    if (moved) this.#changed = 'all';
    const known = this.#known;
    this.#known = live;
    const changed = this.#changed;
    this.#changed = new Set();
    if (known !== null && isEarlier(live, known)) for (const lost of this.#onLost) lost();
    for (const listener of [...this.#listeners]) listener(changed);
  }
}
