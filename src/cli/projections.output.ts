import { NOTHING_SET_ASIDE } from '../projections/engine/set-aside-summary.js';
import type { ComparisonReport } from '../projections/rebuild/comparison.js';
import type { Generation } from '../projections/rebuild/generation-table.js';
import type { SwapReport } from '../projections/rebuild/swap.js';
import type { RecordedSwap } from '../projections/rebuild/swap-history.js';
import type { VerificationReport } from '../projections/rebuild/verification.js';

/** One line about a generation. */
export function generationLine({ generation, role, fold, startedBy, startedAt, reason }: Generation): string {
  const at = fold === null ? 'not folded' : `at ${fold.checkpoint.handled ?? 'the beginning'}`;
  const code = fold === null ? '' : `, code ${fold.builtBy}`;
  const mixed = fold?.mixedAfter == null ? '' : `, mixed with ${fold.foldedBy} after ${fold.mixedAfter}`;
  const { streams, users } = fold?.checkpoint.setAside ?? NOTHING_SET_ASIDE;
  const aside =
    streams + users === 0 ? '' : `, ${streams} streams SET ASIDE, ${users} users marked: see /v1/ops/faults`;
  const fault = fold?.checkpoint.fault ?? null;
  const stopped =
    fault === null ? '' : `, STOPPED at ${fault.type} (position ${fault.position}): ${fault.message}`;
  return `${generation}  ${role}  ${at}${code}${mixed}${aside}${stopped}  (${startedBy}, ${startedAt.toISOString()}: ${reason})`;
}

/** One line about a move of the pointer. */
export function swapLine({ swap, kind, from, to, usersChanged, actor, reason, at }: RecordedSwap): string {
  return `${at.toISOString()}  ${kind} ${swap}: ${from} to ${to}, ${usersChanged} users changed, by ${actor}: ${reason}`;
}

/** What a swap did, or would do. */
export function reportLines(report: ComparisonReport | SwapReport): readonly string[] {
  const { from, to, position, mixed } = report;
  const did = 'swap' in report ? `${report.kind} ${report.swap}` : 'compared';
  return [
    `${did}: generation ${from.generation} (code ${from.builtBy}) to ${to.generation} (code ${to.builtBy}) at ${position ?? 'the beginning'}`,
    ...[from, to].flatMap(({ generation, setAside: { streams, users } }) =>
      streams + users === 0
        ? []
        : [`generation ${generation} has ${streams} streams set aside and ${users} users marked`],
    ),
    ...changeLines(report),
    ...(mixed === null
      ? []
      : [
          `not exact: other code has changed ${mixed.users} users there after ${mixed.after}: ${mixed.first.join(', ')}`,
        ]),
  ];
}

/** Who changes, by kind and, the first hundred, in full. */
export function changeLines({
  changed,
  detailsOnly,
  byKind,
  first,
  defaultChanged,
}: Pick<
  ComparisonReport,
  'changed' | 'detailsOnly' | 'byKind' | 'first' | 'defaultChanged'
>): readonly string[] {
  return [
    `${changed} users change, ${detailsOnly} more in dates alone`,
    ...Object.entries(byKind).flatMap(([kind, users]) => (users === 0 ? [] : [`  ${kind}: ${users}`])),
    ...first.map(
      ({ userId, kinds, before, after, versionBefore, versionAfter }) =>
        `  ${userId}: ${kinds.map((kind) => `${kind} ${JSON.stringify(before[kind])} -> ${JSON.stringify(after[kind])}`).join(', ')} (version ${versionBefore} -> ${versionAfter})`,
    ),
    ...(defaultChanged ? ['users never heard of are served another default plan'] : []),
  ];
}

/** What a verification found. */
export function verificationLines(report: VerificationReport): readonly string[] {
  const { generation, position, users, differences, first, builtBy, running, foldedLate } = report;
  const whom = users === null ? 'all users' : `${users} users`;
  return [
    `generation ${generation} (code ${builtBy}) at ${position ?? 'the beginning'}, ${whom}, folded again by code ${running}`,
    differences === 0 ? 'no difference' : `${differences} rows differ`,
    ...(foldedLate.users === 0
      ? []
      : [
          `${foldedLate.users} users not compared, of whom something was folded late: rebuild to have them compared`,
        ]),
    ...first.map(({ table, found, row }) => `  ${table}, ${found}: ${JSON.stringify(row)}`),
  ];
}
