import { NamedError } from '../../../observability/named-error.js';

/** An import is refused. */
export class ImportRefusedError extends NamedError {
  constructor(
    readonly code: 'import_in_progress' | 'import_unfinished',
    message: string,
  ) {
    super(message);
  }
}

/** An import on this database is not over, whoever runs it. */
export class ImportUnderWayError extends ImportRefusedError {
  constructor() {
    super('import_in_progress', 'an import is under way already');
  }
}

/** An import that records was not finished: a dry run cannot take its place. */
export class UnfinishedImportError extends ImportRefusedError {
  constructor(startedAt: string) {
    super(
      'import_unfinished',
      `the import of ${startedAt} is not finished: let it go on, without a dry run, first`,
    );
  }
}
