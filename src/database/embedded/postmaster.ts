import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, stat, truncate, unlink } from 'node:fs/promises';
import { createServer, Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { EmbeddedPostgresError } from '../errors.js';
import { asUser, type ServerBinaries } from './server-binaries.js';
import { type Cluster, isAlive, oneLine, ROLE, serverEnvironment } from './server-cluster.js';
import { errorCode, isMissing, type ServerIdentity } from './server-identity.js';
import { type Durability, HOST, serverSettings } from './server-settings.js';

/** Where a server listens, and how to be let in. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

/** A running server, started by us or found. */
export interface Postmaster {
  readonly pid: number;
  readonly address: ServerAddress;
  isRunning(): Promise<boolean>;
}

/** A server that is our child. */
export interface OwnPostmaster extends Postmaster {
  /** Resolves when it has ended, with what it wrote to its log since it started. */
  readonly ended: Promise<string>;
  /** Stops it in an orderly way. */
  stop(): Promise<void>;
}

const POLL_MS = 20;
const FAST_SHUTDOWN_MS = 30_000;
const LOG_LIMIT_BYTES = 10_000_000;

/** The living server that serves `cluster`, by its pid file; `undefined` when there is none. */
export async function postmasterOf(cluster: Cluster): Promise<Postmaster | undefined> {
  const file = await readPidFile(cluster);
  const port = file?.port;
  if (file === undefined || port === undefined || !(await serves(file.pid, cluster))) return undefined;
  return {
    pid: file.pid,
    address: { host: HOST, port, user: ROLE, password: cluster.password },
    isRunning: () => serves(file.pid, cluster),
  };
}

/**
 * Removes a pid file whose number now belongs to some other process (after a restart of a container, say): PostgreSQL
 * would take that for a living server and refuse to start. A number that belongs to nobody it handles itself.
 */
export async function removeStalePidFile(cluster: Cluster): Promise<void> {
  const file = await readPidFile(cluster);
  if (file === undefined || !isAlive(file.pid) || (await serves(file.pid, cluster))) return;
  if ((await readPidFile(cluster))?.text !== file.text) return;
  await unlink(join(cluster.dir, 'postmaster.pid')).catch(ignoreMissing);
}

/**
 * Starts the server on a free port. It may not be ready yet. It ends with this process, however that ends: a
 * watchdog waits for our end of a pipe to close and then asks the server to shut down.
 */
export async function startPostmaster(
  cluster: Cluster,
  binaries: ServerBinaries,
  identity: ServerIdentity,
  durability: Durability,
): Promise<OwnPostmaster> {
  const port = await freePort();
  const settings = {
    ...serverSettings(durability),
    port: String(port),
    cluster_name: 'tenure',
  };
  const log = await openLog(`${cluster.dir}.log`);
  const child = spawn(
    binaries.postgres,
    [
      '-D',
      cluster.pgdata,
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    {
      ...asUser(identity),
      cwd: cluster.dir,
      env: serverEnvironment(),
      stdio: ['ignore', log.fd, log.fd],
      detached: true, // Ctrl-C reaches the whole foreground group: the service must stop before its database
    },
  );
  // Asked for before anything is awaited: neither event waits for us.
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const spawned = once(child, 'spawn');
  try {
    await Promise.all([spawned, log.close()]);
  } catch (error) {
    throw new EmbeddedPostgresError(`cannot run ${binaries.postgres}: ${String(error)}`, { cause: error });
  }
  const pid = pidOf(child);
  const ended = exited.then(() => log.textSinceOpened());
  const watchdog = startWatchdog(pid);
  child.unref();
  const isRunning = async (): Promise<boolean> => child.exitCode === null && child.signalCode === null;
  return {
    pid,
    address: { host: HOST, port, user: ROLE, password: cluster.password },
    ended,
    isRunning,
    stop: async () => {
      watchdog.kill('SIGKILL');
      child.ref();
      await stopPostmaster({ pid, isRunning });
      await ended;
    },
  };
}

/** Asks a server to end its sessions, write everything out and stop; waits until it has. */
export async function stopPostmaster(postmaster: Pick<Postmaster, 'pid' | 'isRunning'>): Promise<void> {
  signalUnlessGone(postmaster.pid, 'SIGINT');
  const patience = Date.now() + FAST_SHUTDOWN_MS;
  let insisted = false;
  while (await postmaster.isRunning()) {
    await pause(POLL_MS);
    if (insisted || Date.now() < patience) continue;
    insisted = true;
    signalUnlessGone(postmaster.pid, 'SIGQUIT'); // stops at once; the log of writes is replayed next time
  }
}

function signalUnlessGone(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error;
  }
}

/** Without it a killed owner leaves the server running until the next start, which stops it: so its faults are no news. */
function startWatchdog(pid: number): ChildProcess {
  const watchdog = spawn('/bin/sh', ['-c', 'read -r _; kill -INT "$1"', 'tenure-watchdog', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
    detached: true,
  });
  watchdog.on('error', () => undefined);
  watchdog.stdin.on('error', () => undefined);
  watchdog.unref();
  if (watchdog.stdin instanceof Socket) watchdog.stdin.unref(); // else an open pipe keeps this process from ending
  return watchdog;
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new EmbeddedPostgresError('the PostgreSQL server has no process id');
  return child.pid;
}

interface PidFile {
  readonly text: string;
  readonly pid: number;
  /** Missing while the server is in its first milliseconds. */
  readonly port: number | undefined;
}

/** Lines of `postmaster.pid` (PostgreSQL, miscadmin.h): pid, data folder, start time, port, … */
async function readPidFile(cluster: Cluster): Promise<PidFile | undefined> {
  const text = await readFile(join(cluster.dir, 'postmaster.pid'), 'utf8').catch(ignoreMissing);
  if (text === undefined) return undefined;
  const [pid, , , port] = text.split('\n').map((line) => Number.parseInt(line, 10));
  if (pid === undefined || !Number.isSafeInteger(pid) || pid <= 0) return undefined;
  return { text, pid, port: port !== undefined && port > 0 ? port : undefined };
}

/** Whether `pid` is a server on this data. A server's working directory is its data; ids alone are used again. */
async function serves(pid: number, cluster: Cluster): Promise<boolean> {
  if (!isAlive(pid)) return false;
  if (process.platform !== 'linux') return true;
  const [there, here] = await Promise.all([
    stat(`/proc/${pid}/cwd`).catch(() => undefined), // gone meanwhile, a zombie, or somebody else's process
    stat(cluster.dir),
  ]);
  return there !== undefined && there.dev === here.dev && there.ino === here.ino;
}

function ignoreMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error;
}

interface ServerLog {
  readonly fd: number;
  close(): Promise<void>;
  textSinceOpened(): Promise<string>;
}

async function openLog(path: string): Promise<ServerLog> {
  const size = (await stat(path).catch(ignoreMissing))?.size ?? 0;
  if (size > LOG_LIMIT_BYTES) await truncate(path);
  const start = size > LOG_LIMIT_BYTES ? 0 : size;
  const handle = await open(path, 'a', 0o600);
  return {
    fd: handle.fd,
    close: () => handle.close(),
    textSinceOpened: async () => oneLine((await readFile(path)).subarray(start).toString('utf8')),
  };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, HOST);
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string')
    throw new EmbeddedPostgresError(`no free port on ${HOST}`);
  return address.port;
}
