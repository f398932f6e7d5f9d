import type pg from 'pg';
import { ENTITLEMENTS } from '../../src/projections/entitlements/entitlements.projector.js';
import { RUNNING_RULES } from '../../src/projections/entitlements/folding-rules.js';
import { beginGeneration } from '../../src/projections/rebuild/generation-table.js';

/** Begins a build that nobody folds yet, by the running code; returns its generation. */
export function begunBuild(pool: pg.Pool): Promise<number> {
  return beginGeneration(pool, {
    projection: ENTITLEMENTS,
    state: 'building',
    startedBy: 'ops',
    reason: 'a test',
    codeVersion: RUNNING_RULES.codeVersion,
    order: null,
  });
}
