/**
 * A fault that is named for what happened: by its class, by that class's name, and by a `code`, which stays the same and
 * goes into answers, logs and rows. Its message is a sentence for people, and quotes no secret.
 */
export abstract class NamedError extends Error {
  abstract readonly code: string;
  override get name(): string {
    return this.constructor.name;
  }
}
