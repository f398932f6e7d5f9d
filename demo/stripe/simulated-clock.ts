/** Stripe's clock in the simulation: whole seconds that only go forward, when the story says so. */
export class SimulatedClock {
  #second: number;

  /** @param second Unix seconds to begin at */
  constructor(second: number) {
    this.#second = second;
  }

  get now(): number {
    return this.#second;
  }

  /** Lets `seconds` pass and tells the new time. */
  pass(seconds: number): number {
    this.#second += seconds;
    return this.#second;
  }
}
