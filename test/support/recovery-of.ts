import { AggregateRepository } from '../../src/commands/aggregate-repository.js';
import { projectionAggregate } from '../../src/commands/projection.aggregate.js';
import { ProjectionRecovery, type ProjectionRecoveryOptions } from '../../src/projections/recovery.js';
import type { ProjectedLog } from './projected-log.js';

/** Who skips and resumes, as a process of its own; `before` is waited for when the fault was found, before the append. */
export function recoveryOf(
  { store, pool }: Pick<ProjectedLog, 'store' | 'pool'>,
  before: () => Promise<unknown> = async () => undefined,
): ProjectionRecovery {
  const repository = new AggregateRepository(store, projectionAggregate, { streamPrefix: 'tenure.' });
  const commands: ProjectionRecoveryOptions['commands'] = {
    execute: async (command) => {
      await before();
      return repository.execute(command);
    },
  };
  return new ProjectionRecovery({
    store,
    streamPrefix: 'tenure.',
    pool,
    projection: 'entitlements',
    commands,
  });
}
