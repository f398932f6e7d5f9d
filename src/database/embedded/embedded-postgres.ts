import { existsSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { DataDirInUseError, EmbeddedPostgresDiedError, EmbeddedPostgresError } from '../errors.js';
import { OwnerLock } from './owner-lock.js';
import {
  type OwnPostmaster,
  type Postmaster,
  postmasterOf,
  removeStalePidFile,
  startPostmaster,
  stopPostmaster,
} from './postmaster.js';
import { type ServerBinaries, serverBinaries } from './server-binaries.js';
import { clusterDir, openCluster, ROLE } from './server-cluster.js';
import { errorCode, isMissing, type ServerIdentity, serverIdentity } from './server-identity.js';
import { type Durability } from './server-settings.js';
import { StartTurn } from './start-turn.js';

export interface EmbeddedPostgresOptions {
  /** Folder of the service's own data; made when missing. The server's data is in `postgres` below it. */
  readonly dataDir: string;
  /** Called with a line of text before something that takes a while. */
  readonly onProgress?: (message: string) => void;
  /** Default `durable`. */
  readonly durability?: Durability;
}

/** A PostgreSQL server of our own, on 127.0.0.1 alone. */
export interface EmbeddedPostgres {
  /** Connection string of the database `tenure`, password included. */
  readonly url: string;
  /** Process id of the server. */
  readonly pid: number;
  /** Resolves when the server ended though nobody called `stop`; never rejects. */
  readonly died: Promise<EmbeddedPostgresDiedError>;
  /** Ends sessions, writes everything out and stops the server; repeatable. Close pools before. */
  stop(): Promise<void>;
}

/** Rounds of a race for the folder with other processes that start or stop. */
const MAX_ROUNDS = 20;
const ROUND_PAUSE_MS = 100;

/**
 * Starts a real PostgreSQL on the data under `dataDir`, creating it the first time. As root it runs as an ordinary
 * user. One Tenure process owns a data folder at a time. A server that outlived a killed owner is stopped and started
 * anew, with its data.
 * Throws `DataDirInUseError` when another process owns the folder, `EmbeddedPostgresError` when no server can run.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const dataDir = resolve(options.dataDir);
  const onProgress = options.onProgress ?? (() => undefined);
  await makeDataDir(dataDir);
  const identity = await serverIdentity(clusterDir(dataDir));
  const binaries = programsOf(dataDir, identity);
  const cluster = await openCluster(dataDir, binaries, identity, onProgress);

  let lastWords = '';
  for (let round = 0; round < MAX_ROUNDS; ) {
    const turn = await StartTurn.take(cluster.dir);
    if (turn === null) {
      await pause(ROUND_PAUSE_MS); // another process starts: it has the folder soon, or has left
      continue;
    }
    round++;
    try {
      const other = await postmasterOf(cluster);
      if (other !== undefined) {
        await endOrphan(dataDir, other, onProgress);
        continue;
      }
      await removeStalePidFile(cluster);
      const postmaster = await startPostmaster(
        cluster,
        await binaries(),
        identity,
        options.durability ?? 'durable',
      );
      const lock = await OwnerLock.take(postmaster);
      if (lock instanceof OwnerLock) return await opened(postmaster, lock);
      if (lock !== 'gone') throw new DataDirInUseError(dataDir, lock.heldBy);
      lastWords = await postmaster.ended;
    } finally {
      await turn.release();
    }
    if (!isPassing(lastWords)) break;
    await pause(ROUND_PAUSE_MS);
  }
  throw new EmbeddedPostgresError(`PostgreSQL did not start on ${cluster.dir}: ${lastWords}`);
}

/** Whether there are data of a server under `dataDir`. */
export function hasEmbeddedPostgres(dataDir: string): boolean {
  return existsSync(join(clusterDir(resolve(dataDir)), 'PG_VERSION'));
}

/** A server that somebody of this machine runs for a while. */
export interface EmbeddedPostgresVisit {
  /** Connection string of the database `tenure`, password included. */
  readonly url: string;
  /** Ends what this visit started; the server of another process is left alone. */
  leave(): Promise<void>;
}

/**
 * A way into the data under `dataDir` for a command: through the server of the service that owns the folder, else through
 * one of its own, which then owns the folder until `leave`. Throws what `startEmbeddedPostgres` throws.
 */
export async function visitEmbeddedPostgres(
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgresVisit> {
  try {
    const server = await startEmbeddedPostgres(options);
    return { url: server.url, leave: () => server.stop() };
  } catch (error) {
    if (!(error instanceof DataDirInUseError)) throw error;
    const dataDir = resolve(options.dataDir);
    const identity = await serverIdentity(clusterDir(dataDir));
    const binaries = programsOf(dataDir, identity);
    const cluster = await openCluster(dataDir, binaries, identity, options.onProgress ?? (() => undefined));
    const running = await postmasterOf(cluster);
    if (running === undefined) throw error; // its owner is just stopping it
    return { url: urlOf(running), leave: async () => undefined };
  }
}

/** Finds the programs when they are needed: to try them takes longer than a visit to a server that runs. */
function programsOf(dataDir: string, identity: ServerIdentity): () => Promise<ServerBinaries> {
  let found: Promise<ServerBinaries> | null = null;
  return () => {
    found ??= serverBinaries(dataDir, identity);
    return found;
  };
}

function urlOf({ address: { user, password, host, port } }: Postmaster): string {
  return `postgres://${user}:${password}@${host}:${port}/${ROLE}`;
}

/**
 * What a server says when another is on the folder (or its processes have not all ended), or on its port; or when another
 * process was faster with the lock, took it for an orphan and stopped it.
 */
function isPassing(lastWords: string): boolean {
  return /postmaster\.pid|shared memory block|Address already in use|TCP\/IP sockets|shutdown request/.test(
    lastWords,
  );
}

async function makeDataDir(dataDir: string): Promise<void> {
  try {
    await makeFolder(dataDir);
  } catch (error) {
    const why = errorCode(error) ?? 'unknown error';
    throw new EmbeddedPostgresError(
      `cannot make the folder ${dataDir} (${why}): choose another DATA_DIR or set DATABASE_URL`,
      { cause: error },
    );
  }
}

/** Level by level: where nothing can be made, such as under /proc, Node's own `recursive` never comes back. */
async function makeFolder(path: string): Promise<void> {
  const found = await stat(path).catch((error: unknown) => {
    if (!isMissing(error)) throw error;
    return null;
  });
  if (found?.isDirectory() === true) return;
  if (found !== null) throw Object.assign(new Error(`${path} is no folder`), { code: 'ENOTDIR' });
  await makeFolder(dirname(path));
  await mkdir(path).catch((error: unknown) => {
    if (errorCode(error) !== 'EEXIST') throw error; // another process was faster
  });
}

/** Stops a server whose owner is gone, or refuses when the owner lives. */
async function endOrphan(
  dataDir: string,
  orphan: Postmaster,
  onProgress: (message: string) => void,
): Promise<void> {
  const lock = await OwnerLock.take(orphan);
  if (lock === 'gone') return;
  if (!(lock instanceof OwnerLock)) throw new DataDirInUseError(dataDir, lock.heldBy);
  onProgress(`stopping the PostgreSQL server ${orphan.pid} that a killed process left behind`);
  // The lock is kept until the server ends it: nobody else may think the server is free meanwhile.
  await stopPostmaster(orphan);
  await lock.release();
}

async function opened(postmaster: OwnPostmaster, lock: OwnerLock): Promise<EmbeddedPostgres> {
  const server = running(postmaster, lock);
  try {
    await lock.createDatabase();
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}

function running(postmaster: OwnPostmaster, lock: OwnerLock): EmbeddedPostgres {
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    await lock.release();
    await postmaster.stop();
  };
  return {
    url: urlOf(postmaster),
    pid: postmaster.pid,
    died: new Promise((tell) => {
      void postmaster.ended.then((lastWords) => {
        if (stopped === undefined)
          tell(new EmbeddedPostgresDiedError(`the PostgreSQL server ended: ${lastWords}`));
      });
    }),
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}
