import { NamedError } from '../observability/named-error.js';

/** A stream kept changing under us for longer than we retry. The command may be sent again. */
export class ContentionError extends NamedError {
  readonly code = 'contention';
  constructor(stream: string, tries: number) {
    super(`stream ${stream} changed under each of ${tries} tries`);
  }
}
