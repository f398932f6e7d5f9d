import { NamedError } from '../../observability/named-error.js';

/** The tree of the log as it is does not begin with the one that was signed before: nothing is signed. */
export class TreeInconsistentError extends NamedError {
  readonly code = 'audit_tree_inconsistent';
}

/** No `TENURE_ADMIN_KEY` opens the key that signs checkpoints. */
export class AuditKeyUnreadableError extends NamedError {
  readonly code = 'audit_key_unreadable';
  constructor() {
    super(
      'no TENURE_ADMIN_KEY opens the key that signs checkpoints: give the one that sealed it, or make a new key with ' +
        '`tenure audit key --rotate` and tell who checks',
    );
  }
}
