import type { Pool } from 'pg';
import type { EventEnvelope } from '../../events/event-envelope.js';
import { comparePositions, type Position } from '../../events/stored-event.js';
import { BatchRunner } from '../engine/batch-runner.js';
import { type Checkpoint, findCheckpoint } from '../engine/checkpoint.js';
import type { ProjectionSource } from '../engine/projection-source.js';
import type { Projector } from '../engine/projector.js';
import { AdoptionInterruptedError, GenerationFaultedError, UnknownGenerationError } from './errors.js';
import type { OnProgress } from './scratch-generation.js';

/** Events in one transaction of the build. */
const BATCH_SIZE = 2_000;

export interface ScratchFoldOptions {
  readonly pool: Pool;
  readonly projection: string;
  readonly projectorOf: (generation: number) => Projector<EventEnvelope>;
}

/**
 * Folds a log on, up to an event at least, into a generation that nobody else folds.
 * @throws GenerationFaultedError, AdoptionInterruptedError when the log is not what it was before
 */
export function scratchFold(
  { pool, projection, projectorOf }: ScratchFoldOptions,
  generation: number,
  onProgress: OnProgress,
): (source: ProjectionSource, until: Position | null) => Promise<void> {
  const projector = projectorOf(generation);
  let events = 0;
  return async (source, until) => {
    const runner = new BatchRunner(source, pool, projector, { projection, generation }, BATCH_SIZE);
    for (;;) {
      const read = await checkpointOf(pool, projection, generation);
      onProgress(read.handled, until, events);
      if (comparePositions(read.handled, until) >= 0 && read.partialProgress.length === 0) return;
      const round = await runner.run(read);
      if (round.outcome === 'fault') throw new GenerationFaultedError(generation, round.fault);
      if (round.outcome === 'other log' || round.outcome === 'lost') throw new AdoptionInterruptedError();
      if (round.outcome === 'committed') events += round.batch.applied;
      else if (round.checkpoint.scanned === read.scanned) throw new AdoptionInterruptedError(); // it ends before it did
    }
  };
}

/** The checkpoint of a generation. @throws UnknownGenerationError */
export async function checkpointOf(pool: Pool, projection: string, generation: number): Promise<Checkpoint> {
  const found = await findCheckpoint(pool, { projection, generation });
  if (found === null) throw new UnknownGenerationError(generation);
  return found;
}
