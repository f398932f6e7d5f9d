import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chown,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { EmbeddedPostgresError } from '../errors.js';
import { asUser, type ServerBinaries } from './server-binaries.js';
import { errorCode, isForeign, isMissing, type ServerIdentity } from './server-identity.js';

/** The data of one embedded server on disk. */
export interface Cluster {
  /** Folder of the data, as this process sees it. */
  readonly dir: string;
  /** The folder as the server names it: itself, or the working directory where the server cannot walk the way there. */
  readonly pgdata: string;
  /** Password of the role `tenure`, kept beside the data with mode 0600. */
  readonly password: string;
}

/** The superuser role of the embedded server, and its database. */
export const ROLE = 'tenure';

const MAJOR_VERSION = '18';
const PASSWORD_FILE = 'tenure.password';
const passwordSchema = z.string().regex(/^[A-Za-z0-9_-]{32,}$/);

/**
 * Opens the data in `<dataDir>/postgres`, or creates it. Creation happens in a folder beside it that is renamed when
 * complete: a process killed on the way leaves nothing that looks like data, and of two at once one wins.
 * The programs are asked for when there is something to create.
 * Throws `EmbeddedPostgresError` for data of another PostgreSQL version, or that we may not read.
 */
export async function openCluster(
  dataDir: string,
  binaries: () => Promise<ServerBinaries>,
  identity: ServerIdentity,
  onProgress: (message: string) => void,
): Promise<Cluster> {
  const dir = clusterDir(dataDir);
  if (!(await isInitialised(dir))) {
    onProgress(`creating a PostgreSQL ${MAJOR_VERSION} database in ${dir}`);
    await removeAbandoned(dataDir);
    await createCluster(dataDir, await binaries(), identity);
  }
  await refuseOtherVersion(dir);
  return { dir, pgdata: await serverPath(dir, identity), password: await readPassword(dir) };
}

/** Where the data of `dataDir` lies. */
export function clusterDir(dataDir: string): string {
  return join(dataDir, 'postgres');
}

async function isInitialised(dir: string): Promise<boolean> {
  try {
    await stat(join(dir, 'PG_VERSION'));
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw unreadable(dir, error);
  }
}

async function refuseOtherVersion(dir: string): Promise<void> {
  const version = (await readFile(join(dir, 'PG_VERSION'), 'utf8').catch(rethrowUnreadable(dir))).trim();
  if (version !== MAJOR_VERSION) {
    throw new EmbeddedPostgresError(
      `${dir} holds data of PostgreSQL ${version}, this is ${MAJOR_VERSION}: move it by dump and restore, or set DATABASE_URL`,
    );
  }
}

async function createCluster(
  dataDir: string,
  binaries: ServerBinaries,
  identity: ServerIdentity,
): Promise<void> {
  const staging = await mkdtemp(stagingPrefix(dataDir));
  try {
    const fresh = join(staging, 'data');
    await mkdir(fresh, { mode: 0o700 });
    const passwordFile = join(staging, PASSWORD_FILE);
    await writeFile(passwordFile, randomBytes(32).toString('base64url'), { mode: 0o600 });
    if (isForeign(identity)) {
      for (const path of [staging, fresh, passwordFile]) await chown(path, identity.uid, identity.gid);
    }
    await runInitdb(fresh, passwordFile, binaries, identity);
    await rename(passwordFile, join(fresh, PASSWORD_FILE));
    await renameUnlessPresent(fresh, clusterDir(dataDir));
    await syncFolder(clusterDir(dataDir));
    await syncFolder(dataDir);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function runInitdb(
  fresh: string,
  passwordFile: string,
  binaries: ServerBinaries,
  identity: ServerIdentity,
): Promise<void> {
  const pgdata = await serverPath(fresh, identity);
  const password = await open(passwordFile, 'r');
  try {
    const flags = ['--encoding=UTF8', '--locale=C', '--auth=scram-sha-256', `--username=${ROLE}`];
    // A descriptor, so that the path above need not be open to the server's user.
    const child = spawn(binaries.initdb, [`--pgdata=${pgdata}`, '--pwfile=/dev/fd/3', ...flags], {
      ...asUser(identity),
      cwd: fresh,
      env: serverEnvironment(),
      stdio: ['ignore', 'ignore', 'pipe', password.fd],
    });
    let complaint = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      complaint += text;
    });
    const status = await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (status !== 0) throw new EmbeddedPostgresError(`initdb failed in ${fresh}: ${oneLine(complaint)}`);
  } finally {
    await password.close();
  }
}

/** What the server's programs get from our environment: enough to run, none of our secrets. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  const { PATH, TMPDIR } = process.env;
  return { ...(PATH && { PATH }), ...(TMPDIR && { TMPDIR }), LC_ALL: 'C', TZ: 'UTC' };
}

/** A child's last words as one line of at most 300 characters. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(-300);
}

/**
 * The server's name for `dir`. When its user may not walk there (data under /root, or in a 0700 folder) the server is
 * started *in* it, as root still, and told to use its working directory: the kernel then asks no folder above.
 */
async function serverPath(dir: string, identity: ServerIdentity): Promise<string> {
  if (!isForeign(identity) || (await canWalkTo(dir, identity))) return dir;
  if (process.platform === 'linux') return '/proc/self/cwd';
  throw new EmbeddedPostgresError(
    `user id ${identity.uid}, which PostgreSQL runs as, cannot reach ${dir}: choose another DATA_DIR or set DATABASE_URL`,
  );
}

async function canWalkTo(dir: string, identity: ServerIdentity): Promise<boolean> {
  const probe = spawn('/bin/sh', ['-c', 'cd -- "$1"', 'sh', dir], {
    ...asUser(identity),
    cwd: '/',
    stdio: 'ignore',
  });
  return (await new Promise((resolve, reject) => probe.once('error', reject).once('close', resolve))) === 0;
}

async function readPassword(dir: string): Promise<string> {
  const path = join(dir, PASSWORD_FILE);
  const parsed = passwordSchema.safeParse(await readFile(path, 'utf8').catch(rethrowUnreadable(path)));
  if (!parsed.success) throw new EmbeddedPostgresError(`${path} does not hold a password that Tenure made`);
  return parsed.data;
}

async function renameUnlessPresent(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    // Another process finished first: its data stands, ours is thrown away with the staging folder.
    if (errorCode(error) === 'ENOTEMPTY' || errorCode(error) === 'EEXIST') return;
    throw error;
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Staging folders carry the maker's pid, so that what a killed process left can be told from what is being made. */
function stagingPrefix(dataDir: string): string {
  return join(dataDir, `postgres.new.${process.pid}.`);
}

async function removeAbandoned(dataDir: string): Promise<void> {
  for (const name of await readdir(dataDir)) {
    const pid = /^postgres\.new\.(\d+)\./.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid)))
      await rm(join(dataDir, name), { recursive: true, force: true });
  }
}

/** Whether some process has this id, ours to signal or not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

function rethrowUnreadable(path: string): (error: unknown) => never {
  return (error) => {
    throw unreadable(path, error);
  };
}

function unreadable(path: string, cause: unknown): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    `cannot read ${path} (${errorCode(cause) ?? 'unknown error'}): it must belong to the user that runs Tenure`,
    { cause },
  );
}
