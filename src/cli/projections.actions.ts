import type { JsonOption, Reason } from './arguments.js';
import { EXIT } from './exit-codes.js';
import { buildSteps, foldSteps, progressOn } from './progress.js';
import { generationLine, reportLines, swapLine, verificationLines } from './projections.output.js';
import { refusing } from './refusing.js';
import { operator, show, type Terminal } from './terminal.js';
import { type Folding, originOf, type ReadSide, withReadSide } from './with-read-side.js';

export interface VerifyOptions extends JsonOption {
  readonly users?: number;
}

export interface MoveOptions extends Reason, JsonOption {}

export interface RebuildOptions extends MoveOptions {
  readonly dryRun?: true;
  readonly keep?: true;
}

export interface RollBackOptions extends MoveOptions {
  readonly dryRun?: true;
}

/** `tenure projections list`. */
export function listGenerations(terminal: Terminal, options: JsonOption): Promise<void> {
  return withProjections(terminal, 'read', async ({ rebuilds: generations }) => {
    const all = await generations.list();
    show(terminal, options, all, all.map(generationLine));
  });
}

/** `tenure projections status`. */
export function showStatus(terminal: Terminal, options: JsonOption): Promise<void> {
  return withProjections(terminal, 'read', async ({ rebuilds: generations }) => {
    const [all, swaps] = [await generations.list(), await generations.swaps(10)];
    show(terminal, options, { generations: all, swaps }, [
      ...all.map(generationLine),
      ...swaps.map(swapLine),
    ]);
  });
}

/** `tenure projections verify`. */
export function verifyReadModels(terminal: Terminal, options: VerifyOptions): Promise<void> {
  return withProjections(terminal, 'read', async ({ rebuilds: generations }) => {
    const [progress, step] = [progressOn(terminal), foldSteps()];
    const report = await generations
      .verify(options.users ?? 'all', operator(terminal), (...at) => progress.show(step(...at)))
      .finally(progress.end);
    show(terminal, options, report, verificationLines(report));
    if (report.differences > 0) terminal.exitWith(EXIT.no);
  });
}

/** `tenure projections rebuild`. */
export function rebuild(terminal: Terminal, options: RebuildOptions): Promise<void> {
  return withProjections(terminal, 'fold', async ({ rebuilds: generations }) => {
    const { actor, reason, keep, dryRun } = options;
    const [progress, step] = [progressOn(terminal), buildSteps()];
    const report = await generations
      .rebuild({ actor, reason, afterwards: keep ? 'keep' : dryRun ? 'drop' : 'swap' }, (reached) =>
        progress.show(step(reached)),
      )
      .finally(progress.end);
    show(terminal, options, report, reportLines(report));
  });
}

/** `tenure projections swap`. */
export function swap(terminal: Terminal, generation: number, options: MoveOptions): Promise<void> {
  return withProjections(terminal, 'fold', async ({ rebuilds: generations }) => {
    const { actor, reason } = options;
    const report = await generations.swap(generation, { actor, reason });
    show(terminal, options, report, reportLines(report));
  });
}

/** `tenure projections rollback`. */
export function rollBack(terminal: Terminal, options: RollBackOptions): Promise<void> {
  return withProjections(terminal, 'fold', async ({ rebuilds: generations }) => {
    const { actor, reason, dryRun } = options;
    const report = dryRun
      ? await generations.compareRollBack()
      : await generations.rollBack({ actor, reason });
    show(terminal, options, report, reportLines(report));
  });
}

/** `tenure projections drop`. */
export function dropGeneration(terminal: Terminal, generation: number, options: JsonOption): Promise<void> {
  return withProjections(terminal, 'write', async ({ rebuilds: generations }) => {
    await generations.drop(generation);
    show(terminal, options, { generation }, [`generation ${generation} is dropped`]);
  });
}

/** `tenure projections resume`. */
export function resume(
  terminal: Terminal,
  generation: number | undefined,
  options: JsonOption,
): Promise<void> {
  return withProjections(terminal, 'write', async ({ recovery: faults }) => {
    const resumed = await faults.resume(generation ?? 'live');
    const { fault, streams, users } = resumed;
    const stood = fault === null ? '' : ` at ${fault.type} (position ${fault.position})`;
    show(terminal, options, resumed, [
      `generation ${resumed.generation} is tried again${stood}: ${streams} streams and ${users} users`,
    ]);
  });
}

/** `tenure projections skip`. */
export function skip(terminal: Terminal, position: string, options: MoveOptions): Promise<void> {
  return withProjections(terminal, 'write', async ({ recovery: faults }) => {
    const { actor, reason } = options;
    const done = await faults.skip(position, { ...originOf(actor), reason });
    const { outcome, skipped } = done;
    const was = outcome === 'skipped' ? 'is skipped' : `was skipped before: ${done.reason}`;
    show(terminal, options, done, [`${skipped.type} at ${position} (${skipped.stream}) ${was}`]);
  });
}

function withProjections(
  terminal: Terminal,
  folding: Folding,
  does: (side: ReadSide) => Promise<void>,
): Promise<void> {
  return refusing(terminal, () => withReadSide(terminal, folding, does));
}
