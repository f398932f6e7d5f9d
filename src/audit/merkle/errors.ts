import { NamedError } from '../../observability/named-error.js';

/** A note, checkpoint, key, tile or proof is not of the form that its specification gives. */
export class MalformedProofError extends NamedError {
  readonly code = 'malformed_proof';
}

/** What is well-formed does not hold: a signature, an inclusion or a consistency is false. */
export class FalseProofError extends NamedError {
  readonly code = 'false_proof';
}
