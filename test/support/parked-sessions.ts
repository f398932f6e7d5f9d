import { Socket } from 'node:net';
import pg from 'pg';

/** What sessions that nobody uses are called in `pg_stat_activity`. */
export const PARKED = 'parked';

/** More than a test of one service leaves; each is a process of the server, which has room for 200. */
const MOST_PARKED = 24;

/** What the driver keeps of a connection, as far as it is needed here. */
interface DriverConnection {
  stream: Socket;
  _connecting: boolean;
  _ending: boolean;
  connect(port: number, host: string): void;
  attachListeners(stream: Socket): void;
  emit(event: string, message?: unknown): boolean;
}
interface DriverClient {
  readonly connection: DriverConnection;
  readonly connectionParameters: Readonly<Record<string, unknown>>;
  readonly processID: number;
  readonly secretKey: number;
  readonly _queryQueue: readonly unknown[];
  readonly _txStatus: string | null;
  readonly _queryable: boolean;
  readonly _ended: boolean;
  _ending: boolean;
  _getActiveQuery(): unknown;
  getStartupConf(): Readonly<Record<string, string>>;
  query(text: string, callback: (error: Error | null) => void): void;
  escapeLiteral(text: string): string;
}
type Connected = (error: Error | null, client?: DriverClient) => void;
interface DriverPrototype {
  _connect(this: DriverClient, connected: Connected): void;
  end(this: DriverClient, ended?: () => void): Promise<void> | undefined;
}

interface Session {
  readonly socket: Socket;
  readonly processID: number;
  readonly secretKey: number;
}

/** Sessions that wait for a client, by what they were opened with; of databases that may have any, by their URLs. */
const parked = new Map<string, Map<string, Session[]>>();

/** Clients that are ending, and whose sessions are still to be parked, by the URLs of their databases. */
const leaving = new Map<string, Set<Promise<void>>>();

/**
 * From now on a session of this process with the database at `url` is kept when its client ends, and given to the next client
 * that connects with the same options: the server makes and ends a process for each session, which costs 40 ms of CPU.
 * It comes back as a new one, but for its process: `DISCARD ALL` leaves no locks, settings, temporary tables, prepared
 * statements or channels. What ends while it waits for an answer or in a transaction is never kept.
 */
export function parkSessions(url: string): void {
  replaceDriver();
  parked.set(databaseAt(url), new Map());
}

/** Ends the sessions that wait, and keeps none any more: before the database is dropped or copied. */
export async function endParked(url: string): Promise<void> {
  await allParked(url);
  const database = databaseAt(url);
  const sessions = [...(parked.get(database)?.values() ?? [])].flat();
  parked.delete(database);
  await Promise.all(
    sessions.map(({ socket }) => {
      const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
      socket.end(Buffer.from([0x58, 0, 0, 0, 4])); // the protocol's goodbye
      socket.resume();
      return closed;
    }),
  );
}

/** Waits for sessions whose clients have ended, and which are about to be parked: a pool that was ended waits for none. */
export async function allParked(url: string): Promise<void> {
  await Promise.all(leaving.get(databaseAt(url)) ?? []);
}

/** How many sessions with the database at `url` wait. */
export function countParked(url: string): number {
  return [...(parked.get(databaseAt(url))?.values() ?? [])].flat().length;
}

function databaseAt(url: string): string {
  const { hostname, port, pathname } = new URL(url);
  return `${hostname}:${port}${pathname}`;
}

function databaseOf({ connectionParameters: { host, port, database } }: DriverClient): string {
  return `${host}:${port}/${database}`;
}

/** The sessions that a client could take or leave; `null` when its database keeps none. */
function placeOf(client: DriverClient): Session[] | null {
  const { password, ssl } = client.connectionParameters;
  const sessions = parked.get(databaseOf(client));
  if (sessions === undefined || ssl) return null;
  const { application_name: _, ...startup } = client.getStartupConf();
  const key = JSON.stringify([startup, password]);
  const found = sessions.get(key) ?? [];
  sessions.set(key, found);
  return found;
}

let replaced = false;

/** Replaces how the driver connects and ends, once a process. */
function replaceDriver(): void {
  if (replaced) return;
  replaced = true;
  const driver = pg.Client.prototype as unknown as DriverPrototype;
  const { _connect: connect, end } = driver;
  driver._connect = function (connected) {
    const session = placeOf(this)?.pop();
    if (session === undefined) {
      connect.call(this, connected);
      return;
    }
    this.connection.connect = () => takeOver(this.connection, session);
    const name = this.escapeLiteral(this.getStartupConf().application_name ?? '');
    connect.call(this, (error) => {
      if (error) connected(error);
      else this.query(`set application_name to ${name}`, (fault) => connected(fault, this));
    });
  };
  driver.end = function (ended) {
    const place = isIdle(this) ? placeOf(this) : null;
    if (place === null || place.length >= MOST_PARKED) return end.call(this, ended);
    const left = leave(this, place, () => end.call(this, () => undefined));
    const others = leaving.get(databaseOf(this)) ?? new Set();
    leaving.set(databaseOf(this), others.add(left));
    void left.then(() => others.delete(left));
    if (ended === undefined) return left;
    void left.then(ended);
  };
}

/** Whether the server waits for the client, outside any transaction. */
function isIdle(client: DriverClient): boolean {
  return (
    client._txStatus === 'I' &&
    client._queryable &&
    !client._ending &&
    !client._ended &&
    client._queryQueue.length === 0 &&
    !client._getActiveQuery()
  );
}

/** Makes the session as it was and parks it. The client has ended then, as if the server had closed the connection. */
function leave(client: DriverClient, place: Session[], end: () => void): Promise<void> {
  const { connection, processID, secretKey } = client;
  const ended = new Promise<void>((resolve) => {
    (client.connection as unknown as Socket).once('end', () => resolve());
  });
  client.query('discard all', () => undefined);
  client.query(`set application_name to '${PARKED}'`, (error) => {
    if (error || placeOf(client) !== place) return end();
    park({ socket: connection.stream, processID, secretKey }, place);
    connection.stream = new Socket().destroy(); // whoever still cuts the ended client cuts nobody else's session
    connection.emit('end');
  });
  client._ending = true; // it takes no more statements
  return ended;
}

const ownListeners = new Socket().listeners('end');

function park(session: Session, place: Session[]): void {
  const { socket } = session;
  for (const event of ['data', 'error', 'close', 'connect', 'drain', 'timeout'])
    socket.removeAllListeners(event);
  for (const listener of socket.listeners('end')) {
    if (!ownListeners.includes(listener)) socket.removeListener('end', listener as () => void);
  }
  socket.on('error', () => undefined); // one that the server ends is forgotten, as it closes
  socket.on('close', () => {
    const index = place.indexOf(session);
    if (index >= 0) place.splice(index, 1);
  });
  socket.unref();
  place.push(session);
}

/** Connects the driver's connection to a session that was parked: to whoever listens it is greeted as by the server. */
function takeOver(connection: DriverConnection, { socket, processID, secretKey }: Session): void {
  socket.removeAllListeners('error').removeAllListeners('close');
  socket.ref();
  connection._connecting = true;
  connection.stream = socket;
  socket.on('error', (error) => {
    if (!connection._ending) connection.emit('error', error);
  });
  socket.on('close', () => connection.emit('end'));
  connection.attachListeners(socket);
  setImmediate(() => {
    connection.emit('backendKeyData', { processID, secretKey });
    connection.emit('readyForQuery', { status: 'I' });
  });
}
