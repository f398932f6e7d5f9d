import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { access, type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { StoredEvent } from '../events/stored-event.js';
import {
  type BackupAbout,
  type BackupHeader,
  FORMAT,
  FORMAT_VERSION,
  HEADER_BYTES,
} from './backup-format.js';
import { BackupRefusedError } from './errors.js';

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
    this.#written = pipeline(this.#gzip, createWriteStream(partial, { flags: 'r+', start: HEADER_BYTES }));
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

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
}
