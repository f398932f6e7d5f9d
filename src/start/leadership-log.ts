import type { Logger } from '../observability/logger.js';
import type { ProjectionStatus } from '../projections/engine/projection.js';

const LOOK_EVERY_MS = 500;
const SAYS: Partial<Record<ProjectionStatus['state'], string>> = {
  leading: 'leading: this instance folds the log',
  standby: 'following: another instance folds the log',
};

/** Tells at each change, once, whether this instance leads the projection or follows another one. */
export class LeadershipLog {
  #told: ProjectionStatus['state'] | null = null;
  readonly #timer: NodeJS.Timeout;

  constructor(
    private readonly status: () => Pick<ProjectionStatus, 'projection' | 'state' | 'handled'>,
    private readonly logger: Pick<Logger, 'info'>,
  ) {
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS);
    this.#timer.unref();
    this.look();
  }

  /** Looks now. A fault, or a stop, has a line of its own. */
  look(): void {
    const { projection, state, handled } = this.status();
    const says = SAYS[state];
    if (says === undefined || state === this.#told) return;
    this.#told = state;
    this.logger.info({ projection, handled }, says);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
