import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { catalogStream } from '../events/stream-names.js';
import { type CatalogPublished, OfferPlanCatalog, PublishPlanCatalog } from './catalog.commands.js';
import type { CatalogCommand } from './catalog.decider.js';
import type { Origin } from './decider.js';
import { CatalogRepository } from './repositories.js';

@CommandHandler(OfferPlanCatalog)
export class OfferPlanCatalogHandler implements ICommandHandler<OfferPlanCatalog, CatalogPublished> {
  constructor(private readonly repository: CatalogRepository) {}

  execute({ catalog, hash, origin }: OfferPlanCatalog): Promise<CatalogPublished> {
    return publish(this.repository, { kind: 'offer', catalog, hash }, origin);
  }
}

@CommandHandler(PublishPlanCatalog)
export class PublishPlanCatalogHandler implements ICommandHandler<PublishPlanCatalog, CatalogPublished> {
  constructor(private readonly repository: CatalogRepository) {}

  execute({ catalog, hash, origin }: PublishPlanCatalog): Promise<CatalogPublished> {
    return publish(this.repository, { kind: 'publish', catalog, hash }, origin);
  }
}

async function publish(
  repository: CatalogRepository,
  command: CatalogCommand,
  origin: Origin,
): Promise<CatalogPublished> {
  const stream = catalogStream(repository.prefix);
  const recorded = await repository.execute({ stream, command, origin, expectsNewStream: false });
  const { hash, catalog } = command;
  if (recorded.outcome === 'applied') {
    return { outcome: 'published', hash, catalog, position: recorded.position };
  }
  const { last } = await repository.stateOf(stream);
  if (last === null || last.hash === hash) return { outcome: 'current', hash, catalog, position: null };
  return { outcome: 'stale', hash: last.hash, catalog: last.catalog, position: null };
}
