import { ProblemError } from '../../http/problem.js';

export interface UserQueuesOptions {
  /** Requests of one user, the one under way among them. */
  readonly atMost: number;
  /** Milliseconds that a request waits for those before it. */
  readonly waitMs: number;
}

interface Queue {
  count: number;
  /** Settles once all that came so far are over. */
  last: Promise<unknown>;
}

/** Lets one request of each user be under way in this process; those behind it take no connection while they wait. */
export class UserQueues {
  readonly #queues = new Map<string, Queue>();

  constructor(private readonly options: UserQueuesOptions) {}

  /** Does `work` once those of the user that came before are over. @throws ProblemError `checkout_in_progress` */
  async run<T>(userId: string, work: () => Promise<T>): Promise<T> {
    const { atMost, waitMs } = this.options;
    const queue = this.#queues.get(userId) ?? { count: 0, last: Promise.resolve() };
    if (queue.count >= atMost) throw checkoutInProgress();
    const before = queue.last;
    const run = settledWithin(before, waitMs).then(work);
    queue.last = Promise.allSettled([before, run]);
    queue.count += 1;
    this.#queues.set(userId, queue);
    try {
      return await run;
    } finally {
      queue.count -= 1;
      if (queue.count === 0) this.#queues.delete(userId);
    }
  }
}

/** Somebody else buys or changes something of the user. */
export function checkoutInProgress(options: ErrorOptions = {}): ProblemError {
  return new ProblemError(
    'checkout_in_progress',
    'Another checkout of this user is being started. Send the same request again.',
    { 'retry-after': '1' },
    options,
  );
}

async function settledWithin(before: Promise<unknown>, waitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(checkoutInProgress()), waitMs);
  });
  try {
    await Promise.race([before, tooLong]);
  } finally {
    clearTimeout(timer);
  }
}
