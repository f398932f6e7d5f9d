import { NamedError } from '../../../observability/named-error.js';

/** A reconciliation on this database is not over, whoever runs it. */
export class ReconciliationUnderWayError extends NamedError {
  readonly code = 'reconciliation_in_progress';
  constructor() {
    super('a reconciliation is under way already');
  }
}
