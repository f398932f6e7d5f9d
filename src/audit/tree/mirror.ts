import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { NamedError } from '../../observability/named-error.js';

/** Where a copy of the tree is kept, outside of the service: files by their paths below `/audit/log`. */
export interface Mirror {
  /** What is at a path; `null` where nothing is. @throws MirrorUnavailableError, or what the file system answers */
  read(path: string): Promise<Buffer | null>;
  /** Writes what a path has from now on. @throws as `read` */
  write(path: string, bytes: Buffer): Promise<void>;
}

/** The mirror does not take or give what it is asked for. */
export class MirrorUnavailableError extends NamedError {
  readonly code = 'audit_mirror_unavailable';
}

/** Deadline of one request, in milliseconds. */
const WITHIN_MS = 10_000;

/** A folder, or a place that answers GET and takes PUT where it is an http(s) URL. */
export function openMirror(place: string): Mirror {
  return /^https?:\/\//.test(place) ? new HttpMirror(place.replace(/\/+$/, '')) : new FolderMirror(place);
}

/** The part of a mirror that is below a path. */
export function below(mirror: Mirror, path: string): Mirror {
  return {
    read: (each) => mirror.read(`${path}/${each}`),
    write: (each, bytes) => mirror.write(`${path}/${each}`, bytes),
  };
}

/** Files are put in their place whole. */
class FolderMirror implements Mirror {
  constructor(private readonly folder: string) {}

  async read(path: string): Promise<Buffer | null> {
    try {
      return await readFile(join(this.folder, path));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
      throw error;
    }
  }

  async write(path: string, bytes: Buffer): Promise<void> {
    const file = join(this.folder, path);
    await mkdir(dirname(file), { recursive: true });
    const beside = `${file}.${process.pid}.new`;
    await writeFile(beside, bytes);
    await rename(beside, file);
  }
}

class HttpMirror implements Mirror {
  constructor(private readonly url: string) {}

  async read(path: string): Promise<Buffer | null> {
    const answer = await this.#ask('GET', path);
    if (answer.status === 404) return null;
    return Buffer.from(await this.#expectDone(answer, path).arrayBuffer());
  }

  async write(path: string, bytes: Buffer): Promise<void> {
    const answer = await this.#ask('PUT', path, bytes);
    await this.#expectDone(answer, path).arrayBuffer();
  }

  #expectDone(answer: Response, path: string): Response {
    if (answer.ok) return answer;
    throw new MirrorUnavailableError(`the mirror answers ${answer.status} for ${path}`);
  }

  async #ask(method: string, path: string, body?: Buffer): Promise<Response> {
    try {
      const sent = body === undefined ? {} : { body: new Uint8Array(body) };
      return await fetch(`${this.url}/${path}`, { method, ...sent, signal: AbortSignal.timeout(WITHIN_MS) });
    } catch (error) {
      throw new MirrorUnavailableError(`the mirror does not answer for ${path}`, { cause: error });
    }
  }
}
