import { styleText } from 'node:util';
import { HistoryRebuiltError, RebuildNeededError } from '../audit/errors.js';
import { UserHistory } from '../audit/history/user-history.js';
import { type Life, type ReplayedSnapshot, type ReplayStep, replay } from '../audit/replay/replay.js';
import { AggregateRepository } from '../commands/aggregate-repository.js';
import { auditAggregate, RecordAuditAccess } from '../commands/audit.aggregate.js';
import type { JsonOption } from './arguments.js';
import { EXIT } from './exit-codes.js';
import { json, type Terminal } from './terminal.js';
import { withLog } from './with-log.js';
import { knownLog, originOf } from './with-read-side.js';

export interface ReplayOptions extends JsonOption {
  readonly user: string;
  readonly actor: string;
  /** Unix ms. */
  readonly until?: number;
}

type Style = Parameters<typeof styleText>[0];
type Paint = (style: Style, text: string) => string;

/** Parts of a snapshot of which the reasons are shown to people; programs get all of them. */
const SHOWN = ['plan', 'status', 'pendingPayment'];

/** `tenure audit replay`. @throws OtherLogError when the settings name another log than the database was made from */
export function replayUser(
  terminal: Terminal,
  { user, actor, until, ...options }: ReplayOptions,
): Promise<void> {
  return withLog(terminal, 'write', async ({ settings: { streamPrefix }, store, pool, now }) => {
    const rules = { streamPrefix, now, mayWrite: knownLog(store, pool) };
    const looks = new AggregateRepository(store, auditAggregate, rules);
    await looks.execute(new RecordAuditAccess({ kind: 'replay', userId: user, at: now() }, originOf(actor)));
    const life = await lifeOf(new UserHistory({ pool, store, streamPrefix }), user, terminal);
    if (life === null) return;
    const steps = replay(life, until ?? null);
    const paint: Paint = terminal.colours === undefined ? (_, text) => text : painted;
    for (const step of steps)
      terminal.out(options.json ? json(step) : `${linesOf(step, paint).join('\n')}\n`);
    if (steps.length === 0) terminal.err('tenure: nothing is known of this user\n');
  });
}

/** `null` where the answer is no, which is said. */
async function lifeOf(histories: UserHistory, user: string, terminal: Terminal): Promise<Life | null> {
  try {
    return await histories.life(user);
  } catch (error) {
    if (!(error instanceof RebuildNeededError || error instanceof HistoryRebuiltError)) throw error;
    terminal.err(`tenure: ${error.message} (${error.code})\n`);
    terminal.exitWith(EXIT.no);
    return null;
  }
}

/** Coloured whatever the streams of this process are: the terminal has said so. */
const painted: Paint = (style, text) => styleText(style, text, { validateStream: false });

function linesOf({ event, snapshot }: ReplayStep, paint: Paint): readonly string[] {
  const at = event?.recordedAt ?? snapshot?.from ?? '';
  const what = event === null ? 'the clock alone' : `${event.position}  ${paint('bold', event.type)}`;
  const from = event?.stripeEventId ?? event?.actor ?? null;
  return [
    [paint('dim', at), what, ...(from === null ? [] : [paint('dim', from)])].join('  '),
    ...(event?.said ? [`  ${event.said}`] : []),
    ...(snapshot === null ? [] : snapshotLines(snapshot, paint)),
    '',
  ];
}

function snapshotLines({ snapshot, changed, reasons }: ReplayedSnapshot, paint: Paint): readonly string[] {
  const { plan, role, status } = snapshot;
  const why = (reasons ?? []).filter(({ of }) => SHOWN.includes(of)).map(({ words }) => words);
  return [
    `  ${paint('green', `→ ${plan} (role ${role}, status ${status})`)}`,
    `    changed: ${changed.map(({ field }) => field).join(', ')}`,
    ...[...new Set(why)].map((words) => `    ${words}`),
    ...(reasons === null ? ['    judged otherwise by this version: no reasons'] : []),
  ];
}
