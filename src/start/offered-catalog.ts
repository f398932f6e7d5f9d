import type { CommandBus } from '@nestjs/cqrs';
import { type CatalogPublished, OfferPlanCatalog } from '../commands/catalog.aggregate.js';
import { ClockDiffersError } from '../database/server-clock.js';
import { LogReplacedError } from '../event-store/errors.js';
import type { Logger } from '../observability/logger.js';
import { catalogWarnings } from '../plans/catalog-warnings.js';
import type { LoadedCatalog } from '../plans/plan-file.js';
import type { Projections } from '../projections/projections.js';

const READ_WITHIN_MS = 60_000;

/** The catalogue of the plan file, which is offered to the log once: again where nothing could be written. */
export class OfferedCatalog {
  #commands: CommandBus | null = null;
  #isOffered = false;

  constructor(
    private readonly offered: LoadedCatalog,
    private readonly logger: Logger,
  ) {
    for (const warning of catalogWarnings(offered.catalog)) logger.warn(`the plan catalogue: ${warning}`);
  }

  /** Offers it; where nothing may be written now, that is left to `offerAgain`. @throws what else the append throws */
  async offerBy(commands: CommandBus): Promise<void> {
    this.#commands = commands;
    await this.#offer(commands);
  }

  /** Offers what could not be offered before; to be told when events can be written again. */
  offerAgain(): void {
    if (this.#commands === null) return;
    this.#offer(this.#commands).catch((err) =>
      this.logger.error({ err }, 'the plan file was not offered to the log'),
    );
  }

  async #offer(commands: CommandBus): Promise<void> {
    if (this.#isOffered) return;
    const { catalog, hash } = this.offered;
    const origin = { actor: 'service', correlationId: 'start', causation: null, stripe: null };
    try {
      const published: CatalogPublished = await commands.execute(new OfferPlanCatalog(catalog, hash, origin));
      this.#isOffered = true;
      if (published.outcome !== 'stale') return;
      this.logger.warn(
        { offered: hash, inForce: published.hash },
        'the plan file is an older catalogue; the last published one stays in force',
      );
    } catch (error) {
      if (!(error instanceof LogReplacedError || error instanceof ClockDiffersError)) throw error;
    }
  }
}

/** Comes back once there is a catalogue in the read models, or none can come. */
export async function untilCatalogIsRead(
  { engine, ops }: Projections,
  mayWrite: () => boolean,
): Promise<void> {
  const deadline = Date.now() + READ_WITHIN_MS;
  const mayCome = (): boolean => !['faulted', 'stopped'].includes(engine.status().state) && mayWrite();
  while ((await ops.currentCatalog()) === null && mayCome()) {
    if (Date.now() > deadline) throw new Error('the plan catalogue did not reach the read models');
    await engine.nextChange(100);
  }
}
