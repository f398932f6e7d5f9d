import type { KeptUserIds } from '../events/user-id.js';
import { NamedError } from '../observability/named-error.js';

/** The log was begun with user ids kept otherwise than the setting says. */
export class PseudonymsFixedError extends NamedError {
  readonly code = 'pseudonyms_fixed';
  constructor(log: KeptUserIds) {
    super(
      log === 'pseudonyms'
        ? 'the log holds pseudonyms in place of user ids: USER_ID_PSEUDONYMS must be true'
        : 'the log was begun with user ids as they are: USER_ID_PSEUDONYMS must be false, or the log a new one',
    );
  }
}

/** The log holds pseudonyms, and the database nothing that tells whose they are. */
export class PseudonymsMissingError extends NamedError {
  readonly code = 'pseudonyms_missing';
  constructor() {
    super(
      'the log holds pseudonyms and the database has none of their user ids (pseudonyms_missing): ' +
        'bring the database back from a backup, by `tenure restore` or your own',
    );
  }
}

/** The key of keyed hashes is sealed by another `TENURE_ADMIN_KEY` than those of now. */
export class PseudonymKeyUnreadableError extends NamedError {
  readonly code = 'pseudonym_key_unreadable';
  constructor(options?: ErrorOptions) {
    super(
      'the key of pseudonyms was sealed by another TENURE_ADMIN_KEY: name that one too, comma-separated',
      options,
    );
  }
}

/** Somebody asks of a user who was erased. */
export class UserErasedError extends NamedError {
  readonly code = 'user_erased';
  constructor() {
    super('the user was erased');
  }
}

/** What is said for the log holds what must not be there for good; the message says what. */
export class UnfitTextError extends NamedError {
  readonly code = 'unfit_text';
}
