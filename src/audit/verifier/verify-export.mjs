/**
 * Checks an export of `tenure audit export`, by itself: no database, no service, no setting, nothing but Node.
 *
 *   node verify-export.mjs export.ndjson [--key VERIFIERKEY]... [--against CHECKPOINT]
 *
 * Ends with 0 where the export holds, 1 where it does not (the reason is said in one line), 64 where it was called wrongly and
 * 69 where a file cannot be read. The form of an export is told in docs/AUDIT.md, "An export"; the forms in it are RFC 6962
 * (the tree), C2SP signed-note, tlog-checkpoint and tlog-cosignature (who signed it). It is read from the top: the tree, the
 * notes, the events, and then the whole.
 */
import { isUtf8 } from 'node:buffer';
import { createHash, createPublicKey, verify } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

/** The export does not hold; the message says why, in one line. */
export class ExportRefused extends Error {
  name = 'ExportRefused';
  code = 'export_refused';
}

/** @returns {never} */
function refuse(reason) {
  throw new ExportRefused(reason);
}

const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();

/** Base64 of RFC 4648, in its one spelling. */
function bytesOf(base64, what) {
  const bytes = Buffer.from(String(base64), 'base64');
  if (bytes.toString('base64') !== base64) refuse(`${what} is not in base64`);
  return bytes;
}

function parseJson(text, what) {
  try {
    return JSON.parse(text);
  } catch {
    return refuse(`${what} is not JSON`);
  }
}

// ── The tree: RFC 6962, 2.1, as RFC 9162, 2.1.3.2 and 2.1.4.2 check it ──

const leafHash = (entry) => sha256(Buffer.of(0), entry);
const nodeHash = (left, right) => sha256(Buffer.of(1), left, right);
const half = (number) => Math.floor(number / 2);

/** The root of a tree of `size` leaves, as a proof makes it of the leaf at `index`; `null` where it is no proof of such a leaf. */
function rootByInclusion(index, size, leaf, proof) {
  if (index >= size) return null;
  let [at, last, hash] = [index, size - 1, leaf];
  for (const sibling of proof) {
    if (last === 0) return null;
    if (at % 2 === 1 || at === last) {
      hash = nodeHash(sibling, hash);
      while (at % 2 === 0 && at !== 0) [at, last] = [half(at), half(last)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [at, last] = [half(at), half(last)];
  }
  return last === 0 ? hash : null;
}

/** Whether a tree (`newer`) begins with the leaves of another (`older`), by a proof. */
function isContinuation(older, newer, proof) {
  if (older.size === 0 || older.size > newer.size) return false;
  if (older.size === newer.size) return proof.length === 0 && older.root.equals(newer.root);
  let [at, last] = [older.size - 1, newer.size - 1];
  while (at % 2 === 1) [at, last] = [half(at), half(last)];
  const [first, ...rest] = at === 0 ? [older.root, ...proof] : proof;
  if (first === undefined) return false;
  let [olderRoot, newerRoot] = [first, first];
  for (const hash of rest) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      [olderRoot, newerRoot] = [nodeHash(hash, olderRoot), nodeHash(hash, newerRoot)];
      while (at % 2 === 0 && at !== 0) [at, last] = [half(at), half(last)];
    } else {
      newerRoot = nodeHash(newerRoot, hash);
    }
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && olderRoot.equals(older.root) && newerRoot.equals(newer.root);
}

// ── Notes: C2SP signed-note, tlog-checkpoint, tlog-cosignature ──

const ED25519 = 1;
const COSIGNATURE = 4;
/** What stands before the 32 bytes of an Ed25519 key in the form that Node reads (RFC 8410). */
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');

/** A key under its name, of one kind of signature. Its id is the first four bytes of a hash of all of it. */
function keyOf(name, kind, raw) {
  const typed = Buffer.concat([Buffer.of(kind), raw]);
  const id = sha256(`${name}\n`, typed).subarray(0, 4);
  const text = `${name}+${id.toString('hex')}+${typed.toString('base64')}`;
  return { name, kind, raw, id, text };
}

/** The key of a verifier key, `{name}+{id}+{kind and key}`, in both kinds: it signs as the log, and with the time. */
function parseKey(text) {
  const [, name, base64] = /^([^\s+]+)\+[0-9a-f]{8}\+([A-Za-z0-9+/=]+)$/.exec(text) ?? [];
  const raw = Buffer.from(base64 ?? '', 'base64').subarray(1);
  const kinds = raw.length === 32 ? [ED25519, COSIGNATURE].map((kind) => keyOf(name, kind, raw)) : [];
  if (!kinds.some((key) => key.text === text)) refuse(`this is no verifier key: ${text}`);
  return kinds;
}

/** A note: its text, up to the last empty line, and the signatures behind that. */
function parseNote(note, what) {
  const split = note.lastIndexOf('\n\n');
  if (split === -1 || !note.endsWith('\n')) refuse(`${what} is no signed note`);
  const lines = note.slice(split + 2, -1).split('\n');
  const signatures = lines.map((line) => {
    const [, name, base64] = /^— ([^\s+]+) ([A-Za-z0-9+/=]+)$/.exec(line) ?? refuse(`${what} is not signed`);
    const bytes = bytesOf(base64, `a signature of ${what}`);
    return { name, id: bytes.subarray(0, 4), bytes: bytes.subarray(4) };
  });
  return { what, text: note.slice(0, split + 1), signatures };
}

/** What a checkpoint says: which log, how many events, and the root of their tree; and the note that it is. */
function parseCheckpoint(text, what) {
  const note = parseNote(text, what);
  const [, origin, size, root] =
    /^([^\n]+)\n(0|[1-9]\d{0,14})\n([^\n]+)\n/.exec(note.text) ?? refuse(`${what} is no checkpoint`);
  return { origin, size: Number(size), root: bytesOf(root, `the root of ${what}`), note };
}

/** Whether a signature of a note is one of this key, whose name and id it has. */
function holds({ bytes }, { kind, raw }, text) {
  const key = createPublicKey({ key: Buffer.concat([SPKI, raw]), format: 'der', type: 'spki' });
  if (kind === ED25519) return verify(null, Buffer.from(text), key, bytes);
  if (bytes.length <= 8) return false;
  const timed = `cosignature/v1\ntime ${bytes.readBigUInt64BE()}\n${text}`;
  return verify(null, Buffer.from(timed), key, bytes.subarray(8));
}

/** The keys, of those that are known, that signed a note. A signature of one of them that does not hold is refused. */
function signersOf({ what, text, signatures }, keys) {
  return signatures.flatMap((signature) => {
    const key = keys.find(({ name, id }) => name === signature.name && id.equals(signature.id));
    if (key === undefined) return [];
    if (!holds(signature, key, text)) refuse(`the signature of ${key.name} on ${what} does not hold`);
    return [key];
  });
}

// ── Events: the hash chain of a stream, and the leaf of an event ──

const NO_HASH = '0'.repeat(64);

/** The links of an event, of which its own is the hash of what it says: of its texts as they stand, without that hash. */
function linksOf({ stream, revision, type, data, metadata }, what) {
  const { hash, prevHash } = parseJson(metadata, `the metadata of ${what}`) ?? {};
  parseJson(data, `the data of ${what}`);
  const [before, after, ...more] = metadata.split(`"hash":"${hash}",`);
  if (after === undefined || more.length > 0) refuse(`the hash of ${what} does not stand in its place`);
  const json = JSON.stringify;
  const links = `"prevHash":${json(prevHash)},"revision":${json(revision)},"stream":${json(stream)},"type":${json(type)}`;
  const hashed = `{"data":${data},"metadata":${before}${after},${links}}`;
  if (sha256(hashed).toString('hex') !== hash) refuse(`${what} was changed: its hash is another one`);
  return { hash, prevHash };
}

/** Checks each event: its hash, that it follows the one before it in its stream, and its place in the tree. */
function checkEvents(events, streams, { size, root }) {
  const ends = new Map(streams.map((of) => [of.stream, { of, revision: -1, hash: NO_HASH, count: 0 }]));
  let before = -1;
  for (const { index, id, stream, revision, proof, ...texts } of events) {
    const what = `event ${index} (${stream}@${revision})`;
    if (!Number.isSafeInteger(index) || index <= before) refuse(`${what} is not in the order of the log`);
    before = index;
    const end = ends.get(stream) ?? refuse(`${what} is of a stream that the export does not name`);
    const { hash, prevHash } = linksOf({ stream, revision, ...texts }, what);
    if (end.of.whole && revision !== end.revision + 1)
      refuse(`events of ${stream} are missing: revision ${revision} follows ${end.revision}`);
    if (end.of.whole && prevHash !== end.hash) refuse(`${what} does not follow the one before it`);
    const leaf = leafHash(`tenure-event/v1\n${index}\n${id}\n${hash}\n`);
    const hashes = proof.map((each) => bytesOf(each, `the proof of ${what}`));
    if (!rootByInclusion(index, size, leaf, hashes)?.equals(root)) refuse(`${what} is not in the tree`);
    ends.set(stream, { of: end.of, revision, hash, count: end.count + 1 });
  }
  for (const { of, count } of ends.values())
    if (of.events !== count) refuse(`of ${of.stream} there should be ${of.events} events, not ${count}`);
}

// ── The export ──

/** What the lines of an export are, in the order of their kinds, and what each has. Other members are for people. */
const MEMBERS = {
  export: 'version:number origin:string user:string exportedAt:string',
  key: 'verifierKey:string',
  checkpoint: 'note:string',
  older: 'note:string proof:array',
  stream: 'stream:string events:number whole:boolean',
  event:
    'index:number stream:string revision:number id:string type:string data:string metadata:string proof:array',
  snapshot: 'moment:string cause:object',
  file: 'name:string sha256:string',
  signature: 'note:string',
};
const KINDS = Object.keys(MEMBERS);
const ONCE = ['export', 'checkpoint', 'signature'];

function isOf(line, member) {
  const [name, type] = member.split(':');
  return (Array.isArray(line[name]) ? 'array' : typeof line[name]) === type;
}

/** The lines by their kinds. */
function linesByKind(bytes) {
  if (!isUtf8(bytes)) refuse('the file is not UTF-8');
  const texts = Buffer.from(bytes).toString().split('\n');
  if (texts.pop() !== '') refuse('the file is cut: its last line has no end');
  const lines = { of: Object.fromEntries(KINDS.map((kind) => [kind, []])), count: texts.length };
  let reached = 0;
  for (const [n, text] of texts.entries()) {
    const line = parseJson(text, `line ${n + 1}`);
    const kind = KINDS.indexOf(line?.kind);
    if (kind < reached) refuse(`line ${n + 1} is of no kind that an export has there`);
    reached = kind;
    const isWhole = MEMBERS[line.kind].split(' ').every((member) => isOf(line, member));
    if (!isWhole) refuse(`line ${n + 1} is no "${line.kind}"`);
    lines.of[line.kind].push(line);
  }
  for (const kind of ONCE)
    if (lines.of[kind].length !== 1) refuse(`the export has ${lines.of[kind].length} lines "${kind}"`);
  if (lines.of.export[0].version !== 1) refuse(`the export is of version ${lines.of.export[0].version}`);
  return lines;
}

/** What the operator signed: every byte before the last line, so that not one of them was changed since. */
function statementOf(bytes, { of, count }, origin) {
  const [{ note }] = of.signature;
  const last = Buffer.from(`${JSON.stringify({ kind: 'signature', note })}\n`);
  const before = bytes.subarray(0, bytes.length - last.length);
  if (!last.equals(bytes.subarray(before.length))) refuse('the last line is not as an export writes it');
  const statement = parseNote(note, 'the export');
  const expected = `tenure audit export v1\n${origin}\n${count - 1}\n${sha256(before).toString('base64')}\n`;
  if (statement.text !== expected) refuse('the export was changed: what is signed of it is another text');
  return statement;
}

/** Who signed checkpoint and export: at least one trusted key of the log has signed each, and each witness that was given. */
function checkSigners(checkpoint, statement, { known, trusted, given }) {
  const signers = signersOf(checkpoint, known);
  const stated = signersOf(statement, known);
  if (stated.length !== statement.signatures.length) refuse('a key signed the export that it does not name');
  const isIn = (keys, key) => keys.some(({ text }) => text === key.text);
  for (const [note, keys] of [
    [checkpoint, signers],
    [statement, stated],
  ]) {
    const isTrusted = keys.some((key) => isIn(trusted.log, key));
    if (!isTrusted) refuse(`${note.what} is signed by no key of the log that ${trusted.are}`);
  }
  for (const kinds of given)
    if (kinds[0].name !== trusted.origin && !kinds.some((key) => isIn(signers, key)))
      refuse(`the checkpoint is not signed by the witness ${kinds[0].name}`);
  return signers;
}

/** Checks a checkpoint that was kept: it must be one of `heads`, the export's own and those that it goes on from. */
function checkKept(text, origin, known, heads) {
  const kept = parseCheckpoint(text, 'the kept checkpoint');
  if (kept.origin !== origin) refuse(`the kept checkpoint is of ${kept.origin}, and the export of ${origin}`);
  if (signersOf(kept.note, known).length === 0)
    refuse('the kept checkpoint is signed by no key that is known');
  const same = heads.find(({ size }) => size === kept.size);
  if (same === undefined)
    refuse(`the export proves nothing about the checkpoint of ${kept.size} events: export with --against it`);
  if (!same.root.equals(kept.root)) refuse(`the log had other events than those of the kept checkpoint`);
}

/**
 * Checks the bytes of an export.
 * @param options `keys`: verifier keys that were had elsewhere, of which one of the log must have signed, and each witness's; none:
 * those that the export names itself. `against`: a signed checkpoint that was kept, or `null`. `readBeside`: gives the bytes
 * of a file that lies beside the export, or `null`.
 * @returns what the export says of itself, now that it holds
 * @throws ExportRefused
 */
export function verifyExport(bytes, { keys, against, readBeside }) {
  const lines = linesByKind(bytes);
  const [{ origin, user, exportedAt }] = lines.of.export;
  const checkpoint = parseCheckpoint(lines.of.checkpoint[0].note, 'the checkpoint');
  if (checkpoint.origin !== origin)
    refuse(`the checkpoint is of ${checkpoint.origin}, the export of ${origin}`);
  const older = lines.of.older.map(({ note, proof }) => {
    const head = parseCheckpoint(note, 'an older checkpoint');
    const hashes = proof.map((each) => bytesOf(each, 'the proof of an older checkpoint'));
    if (head.origin !== origin || !isContinuation(head, checkpoint, hashes))
      refuse(`the log does not go on from its checkpoint of ${head.size} events`);
    return head;
  });
  checkEvents(lines.of.event, lines.of.stream, checkpoint);
  const ids = new Set(lines.of.event.map(({ id }) => id));
  for (const { moment, cause } of lines.of.snapshot)
    if (cause?.kind === 'event' && cause.recordedAt !== null && !ids.has(cause.id))
      refuse(`the event behind the snapshot of ${moment} is missing`);
  const statement = statementOf(bytes, lines, origin);

  const given = keys.map(parseKey);
  const listed = lines.of.key.flatMap(({ verifierKey }) => parseKey(verifierKey));
  const known = [...given.flat(), ...listed];
  const log = (given.length === 0 ? listed : given.flat()).filter(({ name }) => name === origin);
  const trusted = { log, origin, are: given.length === 0 ? 'the export names' : 'was given' };
  const signers = checkSigners(checkpoint.note, statement, { known, trusted, given });
  if (against !== null) checkKept(against, origin, known, [checkpoint, ...older]);
  for (const { name, sha256: hash } of lines.of.file) {
    if (!/^[a-z][a-z.-]*$/.test(name)) refuse(`the export names a file that cannot lie beside it: ${name}`);
    const beside = readBeside(name);
    if (beside !== null && sha256(beside).toString('hex') !== hash) refuse(`${name} was changed`);
  }
  return {
    user,
    origin,
    exportedAt,
    events: lines.of.event.length,
    streams: lines.of.stream.length,
    snapshots: lines.of.snapshot.length,
    checkpoint: { size: checkpoint.size, root: checkpoint.root.toString('base64') },
    signedBy: [...new Set(signers.map(({ text }) => text))],
    keys: given.length === 0 ? 'of the export itself' : 'given',
    against: against === null ? null : 'holds',
  };
}

/** Reads what verifyExport needs; `against` is a file, too. @throws ExportRefused, and what the file system answers */
export function verifyExportFile(file, { keys, against }) {
  const beside = (name) => join(dirname(file), name);
  const readBeside = (name) => (existsSync(beside(name)) ? readFileSync(beside(name)) : null);
  const kept = against === undefined ? null : readFileSync(against, 'utf8');
  return verifyExport(readFileSync(file), { keys, against: kept, readBeside });
}

const OWN_KEYS =
  'by keys that the export names itself: compare them with those that you were given another way (--key)';

/** What a report says, for people. */
export function reportLines(report) {
  const { user, origin, exportedAt, events, streams, snapshots, checkpoint, signedBy, keys, against } =
    report;
  return [
    `the export holds: user ${JSON.stringify(user)}, made ${exportedAt}`,
    `${events} events of ${streams} streams, in the tree of ${checkpoint.size} events of ${origin}; ${snapshots} snapshots`,
    ...signedBy.map((key) => `signed by ${key}`),
    ...(keys === 'given' ? [] : [OWN_KEYS]),
    ...(against === null ? [] : ['the log goes on from the kept checkpoint, or has just its events']),
  ];
}

const USAGE = 'usage: verify-export.mjs export.ndjson [--key VERIFIERKEY]... [--against CHECKPOINT]';

/** @returns what the process ends with */
function main(args) {
  const options = { key: { type: 'string', multiple: true, default: [] }, against: { type: 'string' } };
  const say = (line, code) => {
    console.error(`verify-export: ${line}`);
    return code;
  };
  let called;
  try {
    called = parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    return say(`${error.message}\n${USAGE}`, 64);
  }
  const { values, positionals } = called;
  if (positionals.length !== 1) return say(`one export is checked\n${USAGE}`, 64);
  try {
    const report = verifyExportFile(positionals[0], { keys: values.key, against: values.against });
    console.log(reportLines(report).join('\n'));
    return 0;
  } catch (error) {
    return say(error.message, error instanceof ExportRefused ? 1 : 69);
  }
}

if (basename(process.argv[1] ?? '') === 'verify-export.mjs') process.exitCode = main(process.argv.slice(2));
