import type { KeptTexts } from './environment.js';
import { isSnapshot, type Snapshot } from './snapshot.js';

/**
 * The snapshot that this browser saw last of one user, for display until the service has answered; nothing is allowed by it.
 * There is one place for all users of a `baseUrl`, so that whoever signs in overwrites what was kept of another.
 */
export class LastKnown {
  readonly #key: string;

  constructor(
    private readonly kept: KeptTexts | null,
    baseUrl: string,
  ) {
    this.#key = `tenure:last-known:${baseUrl}`;
  }

  /** What is kept of this user; what is kept of another, or cannot be read, is removed. */
  of(userId: string): Snapshot | null {
    const text = this.kept?.get(this.#key) ?? null;
    if (text === null) return null;
    const snapshot = readJson(text);
    if (isSnapshot(snapshot) && snapshot.userId === userId) return snapshot;
    this.forget();
    return null;
  }

  keep(snapshot: Snapshot): void {
    this.kept?.set(this.#key, JSON.stringify(snapshot));
  }

  forget(): void {
    this.kept?.remove(this.#key);
  }
}

/** Other programs of the page may write to the same place. */
function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
