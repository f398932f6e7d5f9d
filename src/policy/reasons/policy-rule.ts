/**
 * How a rule of the access policy tells itself. `words` are those of a support agent, with facts in their places
 * (`inWords`). `given` is an example of a life in which it decides, `example` what it then says: the test of reasons lives
 * that life, and docs/POLICY.md is made of this.
 */
export interface PolicyRule {
  readonly title: string;
  readonly words: string;
  readonly given: string;
  readonly example: string;
}
