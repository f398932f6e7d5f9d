import type { LeaderElection } from './leader-election.js';

/** Minimum interval between two notifications, in milliseconds. */
const NOTIFY_EVERY_MS = 20;

/** Notifies other instances of commits, at a bounded rate; the last commit is always followed by a notification. */
export class CommitNotifier {
  #notifiedAt = 0;
  #timer: NodeJS.Timeout | null = null;
  /** The session of the last commit: the one before it may be lost by the time that is waited for. */
  #election: LeaderElection | null = null;

  /** A notification that fails while the engine stops, and closes its sessions, is no trouble. */
  constructor(
    private readonly onTrouble: (error: unknown) => void,
    private readonly stopping: AbortSignal,
  ) {}

  /** A batch was committed: notifies through the leader's session, soon. */
  committed(election: LeaderElection): void {
    this.#election = election;
    if (this.#timer !== null) return;
    const wait = Math.max(0, this.#notifiedAt + NOTIFY_EVERY_MS - Date.now());
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#notifiedAt = Date.now();
      const last = this.#election;
      if (last === null || last.isLost) return;
      last.notify().catch((error: unknown) => {
        if (!this.stopping.aborted) this.onTrouble(error);
      });
    }, wait);
  }

  /** Drops a notification that is still to be sent. */
  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }
}
