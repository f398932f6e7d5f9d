import type { Logger } from '../observability/logger.js';
import type { ProjectionStatus } from '../projections/engine/projection.js';

const LOOK_EVERY_MS = 500;

type Known = Pick<ProjectionStatus, 'projection' | 'state' | 'otherLeads' | 'handled'>;

/** Tells at each change, once, whether this instance leads the projection, follows another session, or knows of none that does. */
export class LeadershipLog {
  #told: string | null = null;
  readonly #timer: NodeJS.Timeout;

  constructor(
    private readonly status: () => Known,
    private readonly logger: Pick<Logger, 'info'>,
  ) {
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS);
    this.#timer.unref();
    this.look();
  }

  /** Looks now. A fault, or a stop, has a line of its own. */
  look(): void {
    const known = this.status();
    const says = wordsOf(known);
    if (says === null || says === this.#told) return;
    this.#told = says;
    const { projection, handled } = known;
    this.logger.info({ projection, handled }, says);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

function wordsOf({ state, otherLeads }: Known): string | null {
  if (state === 'leading') return 'leading: this instance folds the log';
  if (state !== 'standby') return null;
  return otherLeads
    ? 'following: another session folds the log, of another instance or of one that ended just now'
    : 'not leading: this instance folds nothing until it has the lead';
}
