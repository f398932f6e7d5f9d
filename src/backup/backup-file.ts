import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { access, type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream';
import { pipeline as piped } from 'node:stream/promises';
import { StringDecoder } from 'node:string_decoder';
import { isNativeError } from 'node:util/types';
import { createGunzip, createGzip } from 'node:zlib';
import { z } from 'zod';
import { nameOf } from '../event-store/log-transfer.js';
import type { StoredEvent } from '../events/stored-event.js';
import { BackupFileError, BackupRefusedError } from './errors.js';

/*
 * The file: a header of HEADER_BYTES, one line of JSON filled up with spaces, which can be read with `head -1`; then, in
 * gzip (RFC 1952), lines of UTF-8 that end with a line feed each:
 *
 *   log {…}                                                   about the log and the tables, once
 *   row TABLE {…}                                             a row of a table, as PostgreSQL's row_to_json
 *   event [position, stream, revision, id, type, data, metadata]   an event, in the order of the log; data and metadata are
 *                                                             the very texts that were hashed
 *
 * The header tells how many there are of each and the SHA-256 of all lines: it is written last, over spaces.
 */
const HEADER_BYTES = 1_024;
const FORMAT = 'tenure backup';
const FORMAT_VERSION = 1;

const count = z.int().nonnegative();
const headerSchema = z.object({
  format: z.literal(FORMAT),
  version: z.literal(FORMAT_VERSION),
  /** Which log it is of, as `log_identity` names it. */
  origin: z.string(),
  rows: count,
  events: count,
  /** SHA-256 of the lines, in hex. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

/** What the header of a backup tells. */
export type BackupHeader = z.infer<typeof headerSchema>;

const aboutSchema = z.object({
  origin: z.string(),
  streamPrefix: z.string(),
  /** RFC 3339. */
  takenAt: z.string(),
  /** Version of the release that took it. */
  release: z.string(),
  /** Columns of the rows, by table. */
  columns: z.record(z.string(), z.array(z.string())),
});

/** What a backup says of the log and of the tables that it is of. */
export type BackupAbout = z.infer<typeof aboutSchema>;

/** A line of a backup. The JSON of a row stays text: its numbers may be beyond what JavaScript can count. */
export type BackupLine =
  | { readonly kind: 'log'; readonly about: BackupAbout }
  | { readonly kind: 'row'; readonly table: string; readonly json: string }
  | { readonly kind: 'event'; readonly event: StoredEvent };

const eventSchema = z
  .tuple([
    z.string().regex(/^\d{1,20}$/),
    z.string(),
    z.int().nonnegative(),
    z.string(),
    z.string(),
    z.string(),
    z.string(),
  ])
  .transform(
    ([position, stream, revision, id, type, data, metadata]): StoredEvent => ({
      position,
      stream,
      revision,
      id,
      type,
      data,
      metadata,
    }),
  );

/** Writes a backup under a temporary name beside `path`; `finish` gives it its name, when every byte is on the disk. */
export class BackupWriter {
  readonly #hash = createHash('sha256');
  readonly #gzip = createGzip();
  readonly #written: Promise<void>;
  #rows = 0;
  #events = 0;

  private constructor(
    private readonly path: string,
    private readonly partial: string,
    private readonly file: FileHandle,
    private readonly about: BackupAbout,
  ) {
    this.#written = piped(this.#gzip, createWriteStream(partial, { flags: 'r+', start: HEADER_BYTES }));
    this.#written.catch(() => undefined); // told by the line that cannot be written, or by `finish`
  }

  /** @throws BackupRefusedError when there is a file of that name, and what the file system answers */
  static async open(path: string, about: BackupAbout): Promise<BackupWriter> {
    if (await isThere(path)) throw new BackupRefusedError(`there is a file ${path} already`);
    const partial = `${path}.${process.pid}.partial`;
    // For its owner alone: it holds hashes of keys, and who bought what.
    const writer = new BackupWriter(path, partial, await open(partial, 'w', 0o600), about);
    await writer.#line(`log ${JSON.stringify(about)}`);
    return writer;
  }

  async row(table: string, json: string): Promise<void> {
    this.#rows += 1;
    await this.#line(`row ${table} ${json}`);
  }

  async event({ position, stream, revision, id, type, data, metadata }: StoredEvent): Promise<void> {
    this.#events += 1;
    await this.#line(`event ${JSON.stringify([position, stream, revision, id, type, data, metadata])}`);
  }

  /** Answers the header, and the bytes of the file. */
  async finish(): Promise<{ readonly header: BackupHeader; readonly bytes: number }> {
    this.#gzip.end();
    await this.#written;
    const header: BackupHeader = {
      format: FORMAT,
      version: FORMAT_VERSION,
      origin: this.about.origin,
      rows: this.#rows,
      events: this.#events,
      sha256: this.#hash.digest('hex'),
    };
    const line = Buffer.alloc(HEADER_BYTES, ' ');
    if (line.write(JSON.stringify(header)) > HEADER_BYTES - 1) throw new RangeError('the header is too long');
    line.write('\n', HEADER_BYTES - 1);
    await this.file.write(line, 0, HEADER_BYTES, 0);
    await this.file.sync();
    const { size: bytes } = await this.file.stat();
    await this.file.close();
    await rename(this.partial, this.path);
    const folder = await open(dirname(this.path));
    await folder.sync();
    await folder.close();
    return { header, bytes };
  }

  /** Removes what was written. */
  async giveUp(): Promise<void> {
    this.#gzip.destroy();
    await this.#written.catch(() => undefined);
    await this.file.close();
    await rm(this.partial, { force: true });
  }

  async #line(text: string): Promise<void> {
    const line = `${text}\n`;
    this.#hash.update(line);
    if (this.#gzip.write(line)) return;
    await Promise.race([once(this.#gzip, 'drain'), this.#written]);
  }
}

/** Reads the header of a backup. @throws BackupFileError, and what the file system answers */
export async function readBackupHeader(path: string): Promise<BackupHeader> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
    const parsed = headerSchema.safeParse(jsonOrNull(buffer.toString('utf8', 0, bytesRead)));
    if (parsed.success) return parsed.data;
    throw new BackupFileError(`${path} is no backup of this format: its header is not that of one`);
  } finally {
    await file.close();
  }
}

/**
 * The lines of a backup, one after the other in memory of a fixed size; at the end it was checked that they are those that
 * the header counts and hashes.
 * @throws BackupFileError with the last whole line before the fault
 */
export async function* backupLines(path: string, header: BackupHeader): AsyncGenerator<BackupLine> {
  const hash = createHash('sha256');
  let [lines, rows, events] = [0, 0, 0];
  let last = 'the header';
  const broken = (why: string): BackupFileError =>
    new BackupFileError(`${path} is broken after ${last} (line ${lines}): ${why}`);
  try {
    for await (const text of textLines(path)) {
      hash.update(`${text}\n`);
      const line = parseLine(text);
      if (line === null || (lines === 0) !== (line.kind === 'log')) {
        throw broken('a line that no backup has');
      }
      if (line.kind === 'row') rows += 1;
      if (line.kind === 'event') events += 1;
      yield line;
      lines += 1;
      last = line.kind === 'event' ? nameOf(line.event) : `a ${line.kind} line`;
    }
  } catch (error) {
    if (isNativeError(error) && 'code' in error && String(error.code).startsWith('Z_')) {
      throw broken(error.message);
    }
    throw error;
  }
  if (rows !== header.rows || events !== header.events) {
    throw broken(`it ends with ${rows} rows and ${events} events of ${header.rows} and ${header.events}`);
  }
  if (hash.digest('hex') !== header.sha256) throw broken('its hash is another than the header says');
}

async function* textLines(path: string): AsyncGenerator<string> {
  const gunzip = createGunzip();
  // What fails on either side ends the other; whoever reads hears of it.
  pipeline(createReadStream(path, { start: HEADER_BYTES }), gunzip, () => undefined);
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of gunzip) {
    const pieces = (rest + decoder.write(chunk)).split('\n');
    rest = pieces.pop() ?? '';
    yield* pieces;
  }
  if (rest !== '') yield rest;
}

function parseLine(text: string): BackupLine | null {
  const [, kind, rest = ''] = /^(log|row|event) (.*)$/s.exec(text) ?? [];
  if (kind === 'row') {
    const [, table, json] = /^([a-z_]+) (\{.*\})$/s.exec(rest) ?? [];
    return table === undefined || json === undefined ? null : { kind, table, json };
  }
  if (kind === 'event') {
    const parsed = eventSchema.safeParse(jsonOrNull(rest));
    return parsed.success ? { kind, event: parsed.data } : null;
  }
  const parsed = aboutSchema.safeParse(jsonOrNull(rest));
  return parsed.success ? { kind: 'log', about: parsed.data } : null;
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
}
