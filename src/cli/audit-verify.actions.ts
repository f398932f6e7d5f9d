import { readFile, stat } from 'node:fs/promises';
import { parseCheckpointText } from '../audit/merkle/checkpoint.js';
import { parseVerifierKey, type VerifierKey } from '../audit/merkle/note-keys.js';
import { heldSignatures, parseNote } from '../audit/merkle/signed-note.js';
import { verifierKeysOf } from '../audit/tree/audit-key.js';
import { readAuditKeys } from '../audit/tree/audit-key.repository.js';
import { openMirror } from '../audit/tree/mirror.js';
import { readTrees } from '../audit/tree/tree.repository.js';
import { TreeCopy } from '../audit/tree/tree-copy.js';
import {
  type Difference,
  type KnownCheckpoint,
  type LogReport,
  verifyLog,
} from '../audit/tree/verify-log.js';
import type { JsonOption } from './arguments.js';
import { EXIT } from './exit-codes.js';
import { json, type Terminal } from './terminal.js';
import { withLog } from './with-log.js';

export interface AuditVerifyOptions extends JsonOption {
  /** A checkpoint that was kept in a file; or a mirror, a folder or an address. */
  readonly against?: string;
  /** Verifier keys that were had elsewhere; none: those of the database. */
  readonly key?: readonly string[];
}

/** `tenure audit verify`. @throws MalformedProofError, FalseProofError, MirrorUnavailableError */
export async function verifyAuditLog(terminal: Terminal, options: AuditVerifyOptions): Promise<void> {
  const report = await withLog(terminal, 'read', async ({ pool, store }) => {
    const [tree] = await readTrees(pool);
    const own = tree?.checkpoint ?? null;
    const known = (options.key ?? []).map(parseVerifierKey);
    const keys =
      known.length > 0 || tree === undefined
        ? known
        : (await readAuditKeys(pool)).flatMap((key) => verifierKeysOf(key, tree.origin));
    const copy = await copyOf(options.against);
    const outside =
      copy?.note ?? (options.against === undefined ? null : await readFile(options.against, 'utf8'));
    const checkpoints = [
      ...(own === null ? [] : [signed('the service', own, keys)]),
      ...(outside === null ? [] : [signed(options.against ?? '', outside, keys)]),
    ];
    const onProgress = (events: number): void => terminal.err(`${events} events\n`);
    return verifyLog({ store, checkpoints, copy, onProgress });
  });
  terminal.out(options.json ? json(jsonOf(report)) : textOf(report));
  if (!isClean(report)) terminal.exitWith(EXIT.no);
}

async function copyOf(against: string | undefined): Promise<TreeCopy | null> {
  if (against === undefined) return null;
  const isMirror = /^https?:\/\//.test(against) || (await stat(against)).isDirectory();
  return isMirror ? TreeCopy.open(openMirror(against)) : null;
}

/** @throws FalseProofError where none of the keys signed it */
function signed(from: string, text: string, keys: readonly VerifierKey[]): KnownCheckpoint {
  const note = parseNote(text);
  heldSignatures(note, keys);
  return { from, checkpoint: parseCheckpointText(note.text) };
}

function isClean({ brokenCount, checkpoints, difference }: LogReport): boolean {
  return brokenCount === 0 && difference === null && checkpoints.every(({ verdict }) => verdict === 'holds');
}

const VERDICTS = {
  holds: 'the log has its events, as they were',
  differs: 'THE LOG HAS OTHER EVENTS',
  too_short: 'THE LOG ENDS BEFORE IT',
} as const;

function textOf(report: LogReport): string {
  const { events, broken, brokenCount, checkpoints, difference, unproven } = report;
  const lines = [
    `${events} events, ${brokenCount} that do not follow in their stream`,
    ...broken.map(({ stream, revision, position, why }) => `  ${stream}@${revision} at ${position}: ${why}`),
    ...checkpoints.map(
      ({ from, checkpoint, verdict }) =>
        `checkpoint of ${checkpoint.size} events of ${checkpoint.origin}, from ${from}: ${VERDICTS[verdict]}`,
    ),
    ...(difference === null ? [] : [differenceLine(difference)]),
    `${unproven} events are behind the newest checkpoint: their own chains alone vouch for them`,
  ];
  return `${lines.join('\n')}\n`;
}

function differenceLine({ index, kind, found, expected }: Difference): string {
  const there =
    found === null
      ? 'the log has ended'
      : `${found.type} ${found.stream}@${found.revision} at ${found.position}`;
  return `first difference, index ${index}: ${kind}; there is ${there}, and there was event ${expected.id}`;
}

function jsonOf(report: LogReport) {
  return {
    ...report,
    checkpoints: report.checkpoints.map(({ from, checkpoint: { origin, size, root }, verdict }) => ({
      from,
      origin,
      size,
      root: root.toString('base64'),
      verdict,
    })),
  };
}
