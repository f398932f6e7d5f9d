import type { CommandBus } from '@nestjs/cqrs';
import type { CommandResult, Origin } from '../../commands/aggregate.js';
import { LinkCustomer } from '../../commands/customer.aggregate.js';
import { ContentionError } from '../../commands/errors.js';
import type { FailureLog } from '../../http/failure-log.js';
import type { ProblemError } from '../../http/problem.js';
import { ConcurrencyLimit } from '../concurrency-limit.js';
import { toProblem } from '../to-problem.js';

export interface CustomerLink {
  readonly customerId: string;
  readonly userId: string;
  readonly reason: string | null;
}

/** What became of one link: `failed` may have landed, so it is to be sent again; `not_tried` did not. */
export type LinkOutcome =
  | { readonly customerId: string; readonly outcome: 'recorded'; readonly recorded: CommandResult }
  | { readonly customerId: string; readonly outcome: 'failed'; readonly problem: ProblemError }
  | { readonly customerId: string; readonly outcome: 'not_tried' };

/** Links under way at once in the whole process, whoever asked for them: what Stripe delivers meanwhile finds room. */
const AT_ONCE = 16;

/**
 * Links many customers without taking the store from everybody else. A link has the deadlines of a single one, which begin
 * when its turn comes. Once the store does not answer, nothing more is begun.
 */
export class BulkLinks {
  readonly #limit = new ConcurrencyLimit(AT_ONCE);

  constructor(
    private readonly commands: CommandBus,
    private readonly failures: Pick<FailureLog, 'request'>,
  ) {}

  /** What became of each, in the order given. Rejects with nothing: a fault is an outcome of its link. */
  async link(links: readonly CustomerLink[], origin: Origin): Promise<readonly LinkOutcome[]> {
    const outcomes: LinkOutcome[] = links.map(({ customerId }) => ({ customerId, outcome: 'not_tried' }));
    const left = links.entries();
    let isAway = false;
    const goOn = async (): Promise<void> => {
      for (const [index, link] of left) {
        if (isAway) return;
        const outcome = await this.#limit.run(() => this.#one(link, origin));
        outcomes[index] = outcome;
        isAway ||= outcome.outcome === 'failed' && !isOfOneStream(outcome.problem);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, goOn));
    return outcomes;
  }

  async #one({ customerId, userId, reason }: CustomerLink, origin: Origin): Promise<LinkOutcome> {
    try {
      const recorded: CommandResult = await this.commands.execute(
        new LinkCustomer(customerId, userId, reason, origin),
      );
      return { customerId, outcome: 'recorded', recorded };
    } catch (error) {
      const problem = toProblem(error);
      this.failures.request(problem, origin.correlationId, error);
      return { customerId, outcome: 'failed', problem };
    }
  }
}

/** Whether the next link, of another customer, may go through all the same. */
function isOfOneStream({ cause }: ProblemError): boolean {
  return cause instanceof ContentionError;
}
