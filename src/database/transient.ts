import pg from 'pg';

/**
 * SQLSTATE classes that say the statement may pass when repeated: connection, invalid transaction state (a server that
 * became read-only, a transaction that idled too long), transaction rollback, resources, not in prerequisite state (locks
 * that were not to be had), operator intervention (time-outs, shutdowns), system, configuration file (PostgreSQL,
 * "Appendix A. Error Codes").
 */
const PASSING_CLASSES = new Set(['08', '25', '40', '53', '55', '57', '58', 'F0']);

/** SQLSTATEs of a time-out: query canceled, lock not available, idle in transaction, transaction time-out. */
const TIMEOUT_STATES = new Set(['57014', '55P03', '25P03', '25P04']);

/** A prepared statement whose tables a migration has changed meanwhile; on another connection it is prepared anew. */
const STALE_PLAN = /^cached plan must not change result type/;

/** Codes of Node's errors that say a peer, a name or a descriptor was not to be had. */
const NETWORK_CODES = new Set([
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EAI_AGAIN',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'EMFILE',
  'ENETDOWN',
  'ENETRESET',
  'ENETUNREACH',
  'ENFILE',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
]);

/** What `pg` and its pool say in plain errors when a connection is gone, is out of step, or none was to be had. */
const DRIVER_WORDS =
  /^(Connection terminated|Client (has encountered|was closed)|Cannot use a pool after|Received unexpected|timeout expired|timeout exceeded when trying to connect|Query read timeout|no (answer from the database|database connection) within)/;
const DRIVER_TIMEOUTS =
  /^(timeout e|Query read timeout|no answer|Connection terminated due to connection timeout)/;

/** An error that says itself whether it may pass, and whether it is a time-out: those of the event stores. */
interface SaysItself {
  readonly mayPass: boolean;
  readonly isTimeout: boolean;
}

/**
 * Whether the same work may succeed later: over HTTP it is 503, a projection tries again. Anything else is the work's own
 * fault and would fail again. The one place that knows; what an error wraps (`cause`, `driverError`) is looked at too.
 */
export function isTransient(error: unknown): boolean {
  return firstAnswer(error, (each) => {
    if (saysItself(each)) return each.mayPass;
    if (each instanceof pg.DatabaseError) return mayPassState(each.code ?? '08', each.message);
    const parts = partsOf(each);
    if (parts.length > 0) return parts.every(isTransient);
    return isNetworkError(each) || DRIVER_WORDS.test(each.message) ? true : undefined;
  });
}

/** Whether a time-out ended the work, ours or the server's: less of it at once may pass. */
export function isTimeout(error: unknown): boolean {
  return firstAnswer(error, (each) => {
    if (saysItself(each)) return each.isTimeout;
    if (each instanceof pg.DatabaseError) return TIMEOUT_STATES.has(each.code ?? '');
    return DRIVER_TIMEOUTS.test(each.message) ? true : undefined;
  });
}

/** Whether there was no connection to the database, or none that lasted: not what the server says of a statement. */
export function isUnreachable(error: unknown): boolean {
  return firstAnswer(error, (each) => {
    if (each instanceof pg.DatabaseError) return each.code === undefined || isNoSession(each.code);
    const parts = partsOf(each);
    if (parts.length > 0) return parts.some(isUnreachable);
    return isNetworkError(each) || DRIVER_WORDS.test(each.message) ? true : undefined;
  });
}

/** Whether nothing came in time from a server that should have given up before: the connection, or the network, is dead. */
export function isNoAnswer(error: Error): boolean {
  return /^(Query read timeout|no answer from the database)/.test(error.message);
}

/** SQLSTATE of an error the server sent, `undefined` for any other. */
export function sqlStateOf(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}

/** Connection exceptions and shutdowns: the session ended, before or after the commit. */
export function endsSession(sqlState: string): boolean {
  return sqlState.startsWith('08') || sqlState.startsWith('57P');
}

/** Whether the server is in no state to take the statement, whatever is in it; XX are its own faults. */
export function isServerTrouble(sqlState: string): boolean {
  return PASSING_CLASSES.has(sqlState.slice(0, 2)) || sqlState.startsWith('XX');
}

function isNoSession(sqlState: string): boolean {
  return endsSession(sqlState) || sqlState === '53300';
}

function mayPassState(sqlState: string, message: string): boolean {
  return PASSING_CLASSES.has(sqlState.slice(0, 2)) || (sqlState === '0A000' && STALE_PLAN.test(message));
}

function isNetworkError({ code, syscall }: ErrorLike): boolean {
  return (
    typeof code === 'string' && (NETWORK_CODES.has(code) || (code === 'ENOENT' && syscall === 'connect'))
  );
}

/** What Node tried one after the other, such as the addresses of a name, in an `AggregateError`. */
function partsOf({ errors }: ErrorLike): readonly unknown[] {
  return Array.isArray(errors) ? errors : [];
}

function saysItself(error: ErrorLike): error is ErrorLike & SaysItself {
  return typeof error.mayPass === 'boolean' && typeof error.isTimeout === 'boolean';
}

/** An error by what it has, not by its class: errors of Node itself may be of another realm than this code. */
interface ErrorLike {
  readonly message: string;
  readonly code?: unknown;
  readonly syscall?: unknown;
  readonly errors?: unknown;
  readonly mayPass?: unknown;
  readonly isTimeout?: unknown;
  readonly cause?: unknown;
  readonly driverError?: unknown;
}

function isErrorLike(thrown: unknown): thrown is ErrorLike {
  return typeof thrown === 'object' && thrown !== null && typeof Reflect.get(thrown, 'message') === 'string';
}

/** What is said of an error, or of what it wraps where nothing is known of itself. */
function firstAnswer(error: unknown, ask: (each: ErrorLike) => boolean | undefined): boolean {
  let each = error;
  for (let depth = 0; isErrorLike(each) && depth < 5; depth += 1) {
    const answer = ask(each);
    if (answer !== undefined) return answer;
    each = each.driverError ?? each.cause;
  }
  return false;
}
