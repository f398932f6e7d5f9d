/** Does one piece of work after another, in the order asked for; one that fails does not hold up the next. */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve();

  /** Does `work` when everything before it has ended. */
  add<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined); // its own caller gets the error
    return turn;
  }
}
