import { setTimeout as pause } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { EventStore } from '../../event-store/event-store.js';
import { comparePositions } from '../../events/stored-event.js';
import { BUILD_BEGIN, type BuildPoint, type BuildProgress, paceOf, reckoned } from './build-progress.js';
import {
  BuildOfOtherCodeError,
  GenerationBehindError,
  GenerationFaultedError,
  UnknownGenerationError,
} from './errors.js';
import type { GenerationFold } from './generation-fold.js';
import { type GenerationRole, listGenerations } from './generation-table.js';

export interface BuildWaitOptions {
  readonly store: Pick<EventStore, 'head'>;
  readonly pool: Pool;
  readonly projection: string;
  /** Version of the code that runs here. */
  readonly codeVersion: string;
  /** How long nothing may move before the wait is given up, in milliseconds. */
  readonly patienceMs: number;
}

const LOOK_MS = 100;

/**
 * Waits until a build has caught up with what is read, as long as it moves.
 * @throws UnknownGenerationError when it is dropped, BuildOfOtherCodeError, GenerationFaultedError,
 * GenerationBehindError when nothing moved for a while
 */
export async function untilCaughtUp(
  options: BuildWaitOptions,
  generation: number,
  onProgress: (progress: BuildProgress) => void,
): Promise<void> {
  const { store, codeVersion, patienceMs } = options;
  const began = performance.now();
  let first: BuildPoint | null = null;
  let moved = { at: performance.now(), revision: -1 };
  for (;;) {
    const { build, read } = await buildAndLive(options, generation);
    const live = read.handled;
    if (build.builtBy !== codeVersion) {
      throw new BuildOfOtherCodeError(generation, build.builtBy, codeVersion);
    }
    const { fault, handled, partialProgress, revision } = build.checkpoint;
    if (fault !== null) throw new GenerationFaultedError(generation, fault);
    const now = reckoned({ handled, events: build.events }, read);
    first ??= now;
    onProgress({ generation, ...now, live, ...paceOf(first, now, live, performance.now() - began) });
    if (live !== null && comparePositions(handled, live) >= 0 && partialProgress.length === 0) return;
    if (live === null && (await store.head()) === null) return;
    if (revision !== moved.revision) moved = { at: performance.now(), revision };
    if (performance.now() - moved.at > patienceMs) {
      throw new GenerationBehindError(generation, handled, live);
    }
    await pause(LOOK_MS);
  }
}

async function buildAndLive(
  { pool, projection }: BuildWaitOptions,
  generation: number,
): Promise<{ readonly build: GenerationFold; readonly read: BuildPoint }> {
  const all = await listGenerations(pool, projection);
  const build = all.find((each) => each.generation === generation && isThere(each.role))?.fold;
  if (build === undefined || build === null) throw new UnknownGenerationError(generation);
  const read = all.find(({ role }) => role === 'live')?.fold?.checkpoint ?? BUILD_BEGIN;
  return { build, read };
}

/** Whether a build is one still. */
function isThere(role: GenerationRole): boolean {
  return role !== 'dropping' && role !== 'replaced';
}
