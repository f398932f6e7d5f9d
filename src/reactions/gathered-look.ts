import { setImmediate as nextTurn } from 'node:timers/promises';

/** Look-ups by key of callers that ask in one turn of the event loop: one statement answers them all. */
export class GatheredLook<Answer> {
  #next: { readonly keys: Set<string>; readonly answers: Promise<ReadonlyMap<string, Answer>> } | null = null;

  /** `read` tells what there is of these keys; what it leaves out there is not. */
  constructor(private readonly read: (keys: readonly string[]) => Promise<ReadonlyMap<string, Answer>>) {}

  /** `null`: there is nothing of that key. @throws what `read` throws */
  async ask(key: string): Promise<Answer | null> {
    this.#next ??= this.#gather();
    const { keys, answers } = this.#next;
    keys.add(key);
    return (await answers).get(key) ?? null;
  }

  #gather() {
    const keys = new Set<string>();
    const answers = nextTurn().then(() => {
      this.#next = null;
      return this.read([...keys]);
    });
    return { keys, answers };
  }
}
