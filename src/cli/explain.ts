import { isNativeError } from 'node:util/types';
import { FalseProofError, MalformedProofError } from '../audit/merkle/errors.js';
import { MirrorUnavailableError } from '../audit/tree/mirror.js';
import { BackupFileError, BackupRefusedError } from '../backup/errors.js';
import { InvalidConnectionStringError } from '../config/connection-string.js';
import { InvalidSettingsError } from '../config/settings.js';
import { DatabaseError } from '../database/errors.js';
import { LogCopyError } from '../event-store/copy-log.js';
import { EventStoreError } from '../event-store/errors.js';
import { OtherLogError, UnfinishedRestoreError } from '../event-store/log-identity.js';
import { ProblemError } from '../http/problem.js';
import {
  PseudonymKeyUnreadableError,
  PseudonymsFixedError,
  PseudonymsMissingError,
  UnfitTextError,
  UserErasedError,
} from '../pseudonyms/errors.js';
import { StripeUnansweredError } from '../stripe/gateway/stripe-lists.js';
import { ImportRefusedError } from '../stripe/reconciliation/import/errors.js';
import { ReconciliationUnderWayError } from '../stripe/reconciliation/reconcile/errors.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import type { Terminal } from './terminal.js';

/** Tells what a command failed with, in a line each, and answers what it ends with. */
export function explain(error: unknown, terminal: Terminal): ExitCode {
  const say = (lines: readonly string[]): void => {
    for (const line of lines) terminal.err(`tenure: ${line}\n`);
  };
  if (error instanceof InvalidSettingsError) {
    say(error.lines);
    return EXIT.config;
  }
  if (
    error instanceof InvalidConnectionStringError ||
    error instanceof OtherLogError ||
    error instanceof UnfinishedRestoreError ||
    error instanceof PseudonymsFixedError ||
    error instanceof PseudonymsMissingError ||
    error instanceof PseudonymKeyUnreadableError
  ) {
    say([error.message]);
    return EXIT.config;
  }
  if (
    error instanceof BackupFileError ||
    error instanceof MalformedProofError ||
    error instanceof FalseProofError
  ) {
    say([error.message]);
    return EXIT.data;
  }
  if (
    error instanceof LogCopyError ||
    error instanceof ProblemError ||
    error instanceof BackupRefusedError ||
    error instanceof UserErasedError ||
    error instanceof UnfitTextError ||
    error instanceof ImportRefusedError ||
    error instanceof ReconciliationUnderWayError
  ) {
    say([error.message]);
    return EXIT.no;
  }
  if (
    error instanceof DatabaseError ||
    error instanceof EventStoreError ||
    error instanceof MirrorUnavailableError ||
    error instanceof StripeUnansweredError
  ) {
    say([error.message]);
    return EXIT.unavailable;
  }
  if (!isNativeError(error)) {
    say([String(error)]);
    return EXIT.software;
  }
  // The driver and the system give a code of their own (SQLSTATE, E…); where several addresses failed there is no message.
  const code = 'code' in error ? String(error.code) : '';
  if (/^(?:[0-9A-Z]{5}|E[A-Z]+)$/.test(code)) {
    say([error.message || code]);
    return EXIT.unavailable;
  }
  say([error.stack ?? error.message]);
  return EXIT.software;
}
