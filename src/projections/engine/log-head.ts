import type { EventStore } from '../../event-store/event-store.js';
import type { Position } from '../../events/stored-event.js';

export interface LogHeadOptions {
  readonly store: Pick<EventStore, 'head'>;
  /** The log answered: its last position, `null` when it is empty. */
  readonly onAnswer: (head: Position | null) => void;
  readonly onTrouble: (error: unknown) => void;
}

/** The end of the log as this instance asks for it, and whether the log answers. */
export class LogHead {
  #askedAt = 0;
  #isAnswering = true;

  constructor(private readonly options: LogHeadOptions) {}

  /** Whether the log answered when it was last asked: an instance that cannot read it lets others lead. */
  get isAnswering(): boolean {
    return this.#isAnswering;
  }

  /** Milliseconds since the log was last asked. */
  get ageMs(): number {
    return Date.now() - this.#askedAt;
  }

  /** Asks where the log ends. A failure is reported, not thrown: whoever needs the head asks again. */
  async ask(): Promise<void> {
    this.#askedAt = Date.now();
    try {
      const head = await this.options.store.head();
      this.#isAnswering = true;
      this.options.onAnswer(head);
    } catch (error) {
      this.#isAnswering = false;
      this.options.onTrouble(error);
    }
  }

  /** Counts the log as silent until it answers again. */
  presumeSilent(): void {
    this.#isAnswering = false;
  }
}
