import { DatabaseError } from 'pg';
import { EventStoreUnavailableError, OutcomeUnknownError } from '../../event-store/errors.js';

/**
 * SQLSTATE classes that say the statement may pass when repeated: connection, transaction rollback, resources, not in
 * prerequisite state, operator intervention, system, configuration file (PostgreSQL, "Appendix A. Error Codes").
 */
const PASSING_CLASSES = new Set(['08', '25', '40', '53', '55', '57', '58', 'F0']);

/** What `pg` says in plain errors when a connection is gone or none is to be had. */
const DRIVER_WORDS = /connection|terminated|timeout|timed out|not queryable|pool/i;

/** Node's own errors of sockets and names carry a code such as `ECONNRESET`. */
function isSystemError(error: Error): boolean {
  return 'code' in error && typeof error.code === 'string' && /^E[A-Z_]+$/.test(error.code);
}

/** Whether the same work may succeed later. Anything else is the work's own fault and would fail again. */
export function isTransient(error: unknown): boolean {
  if (error instanceof EventStoreUnavailableError || error instanceof OutcomeUnknownError) return true;
  if (error instanceof DatabaseError) return PASSING_CLASSES.has((error.code ?? '08').slice(0, 2));
  if (error instanceof AggregateError) return error.errors.every(isTransient);
  if (!(error instanceof Error)) return false;
  return isSystemError(error) || (error.constructor === Error && DRIVER_WORDS.test(error.message));
}
