import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { promisify } from 'node:util';
import { EmbeddedPostgresError } from '../errors.js';

const run = promisify(execFile);

/** The user PostgreSQL runs as, in numeric ids. It refuses to run as root. */
export interface ServerIdentity {
  readonly uid: number;
  readonly gid: number;
}

const SERVER_USER = 'postgres';

/**
 * Who the server runs as: ourselves, unless we are root. As root, the owner of `clusterDir` when there is one (so that
 * a folder made by an ordinary user stays that user's), else the system user `postgres`, which is created when missing.
 * Throws `EmbeddedPostgresError` when no such user can be had.
 */
export async function serverIdentity(clusterDir: string): Promise<ServerIdentity> {
  const self = userInfo();
  if (self.uid !== 0) return { uid: self.uid, gid: self.gid };
  const owner = await ownerOf(clusterDir);
  if (owner !== undefined && owner.uid !== 0) return owner;
  return (await lookUp(SERVER_USER)) ?? (await createServerUser());
}

/** True when the server runs as somebody else than this process, which is then root. */
export function isForeign(identity: ServerIdentity): boolean {
  return identity.uid !== userInfo().uid;
}

async function ownerOf(path: string): Promise<ServerIdentity | undefined> {
  try {
    const { uid, gid } = await stat(path);
    return { uid, gid };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function lookUp(name: string): Promise<ServerIdentity | undefined> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
    return { uid: Number.parseInt(uid.stdout, 10), gid: Number.parseInt(gid.stdout, 10) };
  } catch {
    return undefined; // `id` fails in one way for every unknown name
  }
}

async function createServerUser(): Promise<ServerIdentity> {
  try {
    await run('useradd', [
      '--system',
      '--user-group',
      '--no-create-home',
      '--shell',
      '/bin/false',
      SERVER_USER,
    ]);
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    throw new EmbeddedPostgresError(
      `PostgreSQL does not run as root and the user "${SERVER_USER}" could not be created (${reason}): ` +
        'start Tenure as an ordinary user or set DATABASE_URL',
    );
  }
  const created = await lookUp(SERVER_USER);
  if (created === undefined)
    throw new EmbeddedPostgresError(`the user "${SERVER_USER}" was created but is not known`);
  return created;
}

/** True for a file-system error that says: no such file. */
export function isMissing(error: unknown): boolean {
  return errorCode(error) === 'ENOENT';
}

/** The `code` of a system error, when it has one. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
