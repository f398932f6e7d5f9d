import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NotLevelError, RebuildNeededError } from '../audit/errors.js';
import {
  ExportOvertakenError,
  NoCheckpointError,
  NothingKnownError,
  OtherCheckpointError,
} from '../audit/export/errors.js';
import {
  type ExportedUser,
  exportLines,
  signatureLine,
  statementText,
} from '../audit/export/export-lines.js';
import { exportUser, signStatement } from '../audit/export/export-user.js';
import { summaryPage } from '../audit/export/summary-page.js';
import { FalseProofError, MalformedProofError } from '../audit/merkle/errors.js';
import { formatTlogProof } from '../audit/merkle/tlog-proof.js';
import { verifierTextsOf } from '../audit/tree/audit-key.js';
import { AuditKeyUnreadableError, TreeInconsistentError } from '../audit/tree/errors.js';
import { TreeKeeper } from '../audit/tree/tree-keeper.js';
import { parseWitness } from '../audit/tree/witness.js';
import { SealedSecrets } from '../auth/sealed-secrets.js';
import { AggregateRepository } from '../commands/aggregate-repository.js';
import { auditAggregate, RecordAuditAccess } from '../commands/audit.aggregate.js';
import { loadSigningSettings } from '../config/part-settings.js';
import { NamedError } from '../observability/named-error.js';
import { VERSION } from '../observability/version.js';
import { readLiveCheckpoint } from '../projections/engine/checkpoint.js';
import { lookAtLog } from '../projections/engine/log-watch.js';
import { ENTITLEMENTS } from '../projections/entitlements/entitlements.projector.js';
import { EXIT } from './exit-codes.js';
import { messageOf, type Terminal } from './terminal.js';
import { type ServiceLog, withLog } from './with-log.js';
import { knownLog, originOf } from './with-read-side.js';

export interface AuditExportOptions {
  readonly user: string;
  /** The folder, which is made where it is not there. */
  readonly out: string;
  /** A file with a checkpoint that was kept. */
  readonly against?: string;
  readonly actor: string;
}

/** Why an export is not made; each says it in its words. */
const REFUSED = [
  AuditKeyUnreadableError,
  ExportOvertakenError,
  FalseProofError,
  MalformedProofError,
  NoCheckpointError,
  NotLevelError,
  NothingKnownError,
  OtherCheckpointError,
  RebuildNeededError,
  TreeInconsistentError,
];

/** `tenure audit export`. @throws InvalidSettingsError, OtherLogError */
export async function exportAudit(terminal: Terminal, options: AuditExportOptions): Promise<void> {
  const { user, out, against, actor } = options;
  const signing = loadSigningSettings(terminal.environment);
  const kept = against === undefined ? null : await readFile(against, 'utf8');
  await mkdir(out, { recursive: true });
  if ((await readdir(out)).length > 0) return refuse(terminal, `${out} is not empty`);
  try {
    await withLog(terminal, 'write', async (log) => {
      const { settings, store, pool, now } = log;
      const rules = { streamPrefix: settings.streamPrefix, now, mayWrite: knownLog(store, pool) };
      const looks = new AggregateRepository(store, auditAggregate, rules);
      await looks.execute(
        new RecordAuditAccess({ kind: 'export', userId: user, at: now() }, originOf(actor)),
      );
      const secrets = new SealedSecrets(signing.adminKeys);
      const keeper = keeperOf(log, secrets, signing, terminal);
      const { streamPrefix } = settings;
      const parts = { pool, store, secrets, keeper, streamPrefix, release: VERSION, now };
      const exported = await exportUser(parts, user, kept);
      const beside = [
        { name: 'summary.html', text: summaryPage(exported) },
        { name: 'checkpoint', text: exported.checkpoint },
        { name: 'verifier-keys', text: keysText(exported) },
      ];
      const lines = exportLines(exported, beside);
      const note = await signStatement(parts, exported, statementText(exported.origin, lines));
      await writeAll(out, exported, [
        ...beside,
        { name: 'export.ndjson', text: lines + signatureLine(note) },
      ]);
      terminal.out(`${exported.events.length} events and ${exported.snapshots.length} snapshots in ${out}\n`);
    });
  } catch (error) {
    if (!REFUSED.some((refusal) => error instanceof refusal)) throw error;
    refuse(terminal, error instanceof NamedError ? `${error.message} (${error.code})` : messageOf(error));
  }
}

function refuse(terminal: Terminal, why: string): void {
  terminal.err(`tenure: ${why}\n`);
  terminal.exitWith(EXIT.no);
}

/** Signs what the log has; the mirror is for the service to bring level. */
function keeperOf(
  { pool, store, now }: ServiceLog,
  secrets: SealedSecrets,
  { origin, witnesses }: ReturnType<typeof loadSigningSettings>,
  terminal: Terminal,
): TreeKeeper {
  return new TreeKeeper({
    pool,
    store,
    secrets,
    origin,
    mirror: null,
    witnesses: witnesses.map(parseWitness),
    everySeconds: 0,
    now,
    isLogKnown: async () => (await lookAtLog(store, () => readLiveCheckpoint(pool, ENTITLEMENTS))).isKnown,
    onOutcome: () => undefined, // what fails is told as trouble
    onTrouble: (error) => terminal.err(`tenure: a witness did not sign: ${messageOf(error)}\n`),
  });
}

function keysText({ keys, origin }: ExportedUser): string {
  return keys
    .flatMap((key) => verifierTextsOf(key, origin))
    .map((key) => `${key}\n`)
    .join('');
}

async function writeAll(
  out: string,
  { events, checkpoint }: ExportedUser,
  files: readonly { readonly name: string; readonly text: string }[],
): Promise<void> {
  await mkdir(join(out, 'proofs'));
  const proofs = events.map(({ index, proof }) => ({
    name: join('proofs', `${index}`),
    text: formatTlogProof({ index, hashes: proof, checkpoint }),
  }));
  for (const { name, text } of [...files, ...proofs]) {
    await writeFile(join(out, name), text, { flag: 'wx', mode: 0o600 });
  }
}
