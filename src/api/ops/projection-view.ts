import type { Projections } from '../../projections/projections.js';
import type { Generation } from '../../projections/rebuild/generation-table.js';
import type { ProjectionView } from './projection.schemas.js';

/** Swaps that are told with a projection. */
const SWAPS = 10;

/**
 * How the projection is doing, as this instance knows it, with every generation and the last swaps as the database has
 * them: an instance may learn of a swap a moment later.
 */
export async function viewProjection({
  engine,
  rebuilds: generations,
  publications,
}: Projections): Promise<ProjectionView> {
  const [all, swaps, underWay] = await Promise.all([
    generations.list(),
    generations.swaps(SWAPS),
    publications.underWay(),
  ]);
  const { state, handled, scanned, head, lagEvents, lagSeconds, fault, setAside } = engine.status();
  return {
    name: 'entitlements',
    state,
    generation: all.find(({ role }) => role === 'live')?.generation ?? null,
    handled,
    scanned,
    head,
    lagEvents,
    lagSeconds,
    fault,
    setAside,
    publications: [...underWay],
    generations: all.map(viewGeneration),
    swaps: swaps.map(({ at, ...swap }) => ({ ...swap, at: at.toISOString() })),
  };
}

function viewGeneration({ startedAt, fold, ...rest }: Generation): ProjectionView['generations'][number] {
  if (fold === null) return { ...rest, startedAt: startedAt.toISOString(), fold };
  const { checkpoint, ...codes } = fold;
  const { handled, fault } = checkpoint;
  const { streams, users } = checkpoint.setAside;
  const shown = { handled, fault, setAside: { streams, users }, ...codes };
  return { ...rest, startedAt: startedAt.toISOString(), fold: shown };
}
