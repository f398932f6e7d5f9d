import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { isNativeError } from 'node:util/types';
import { createGunzip } from 'node:zlib';
import { nameOf } from '../event-store/log-transfer.js';
import {
  aboutSchema,
  type BackupHeader,
  type BackupLine,
  eventSchema,
  HEADER_BYTES,
  headerSchema,
} from './backup-format.js';
import { BackupFileError } from './errors.js';

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
