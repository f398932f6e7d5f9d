import { NamedError } from '../../observability/named-error.js';

/** The tree of the log as it is does not begin with the one that was signed before: nothing is signed. */
export class TreeInconsistentError extends NamedError {
  readonly code = 'audit_tree_inconsistent';
}

/** A mirror holds another tree than the one that is to be copied there: nothing of it is changed. */
export class MirrorDisagreesError extends NamedError {
  readonly code = 'audit_mirror_disagrees';
}

/** A witness knows another tree than the one that it is to sign, or more of it than there is. */
export class WitnessDisagreesError extends NamedError {
  readonly code = 'audit_witness_disagrees';
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
