import type { Pool } from 'pg';
import type { Tracing } from '../observability/tracing.js';
import type { ProjectionListener } from './engine/projection.js';
import { ProjectionEngine, type ProjectionEngineOptions } from './engine/projection-engine.js';
import { ENTITLEMENTS, EntitlementsProjector } from './entitlements/entitlements.projector.js';
import type { FoldingRules } from './entitlements/folding-rules.js';
import { tracedProjector } from './traced-projector.js';

export interface LiveFoldOptions {
  readonly store: ProjectionEngineOptions['store'];
  /** The setting `STREAM_PREFIX`. */
  readonly streamPrefix: string;
  readonly pool: Pool;
  /** Connection string for the session that leads and listens. */
  readonly url: string;
  readonly rules: FoldingRules;
  readonly listener: ProjectionListener;
  readonly batchSize?: number;
  /** Users judged in one transaction after a change of the catalogue. */
  readonly sliceSize?: number;
  /** The clock that snapshots are served by, Unix ms. Left out: the database server's. */
  readonly now?: () => number;
  /** The setting `FAULT_LIMIT`. */
  readonly faultLimit?: number;
  /** Follows events to their rows; `null` or left out: nobody does. */
  readonly tracing?: Pick<Tracing, 'events'> | null;
}

/**
 * Bytes of facts that the live fold keeps: less than a build, which comes back to the same users soon, where in life most of them
 * have an event a month. With what V8 leaves of garbage between them each costs one and a half.
 */
const BYTES_IN_MEMORY = 16_000_000;

/** The fold of the entitlements that is read. Start it to make it move. */
export function liveFold(options: LiveFoldOptions): ProjectionEngine {
  const { rules, sliceSize, faultLimit, now, pool, tracing = null, ...rest } = options;
  return new ProjectionEngine({
    ...rest,
    pool,
    projection: ENTITLEMENTS,
    codeVersion: rules.codeVersion,
    projectorOf: (generation) => {
      const projector = new EntitlementsProjector({
        pool,
        generation,
        rules,
        bytesInMemory: BYTES_IN_MEMORY,
        ...(sliceSize === undefined ? {} : { sliceSize }),
        ...(now === undefined ? {} : { now }),
        ...(faultLimit === undefined ? {} : { faultLimit }),
      });
      return tracing === null ? projector : tracedProjector(projector, tracing);
    },
  });
}
