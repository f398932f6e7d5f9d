import type { Caller } from '../../auth/caller.js';
import type { CommandResult } from '../../commands/aggregate.js';
import type { GrantIssue } from '../../commands/by-hand.handlers.js';
import { IssueGrant, RevokeGrant } from '../../commands/grant.aggregate.js';
import { RemoveOverride, SetOverride } from '../../commands/overrides.aggregate.js';
import type { Repositories } from '../../commands/repositories.js';
import { canonicalJson } from '../../events/canonical-json.js';
import type { PlanCatalog } from '../../events/catalog.events.js';
import type { GrantIssuedData } from '../../events/grant.events.js';
import { overrideKindOf } from '../../events/override.events.js';
import { grantStream } from '../../events/stream-names.js';
import { keyReused } from '../../http/idempotency/request-key.js';
import { ProblemError } from '../../http/problem.js';
import type { OpsReader } from '../../projections/read-models/ops.reader.js';
import { ReadModelNotReadyError } from '../../projections/read-models/served-row.js';
import { checkKey, checkNames } from './checked-names.js';
import { instantOf, originOf, type WithdrawalQuery, withdrawalOf } from './grants.requests.js';
import type { GrantRequest, OverrideRequest } from './grants.schemas.js';

/** What executes the commands: the CommandBus, or the handlers themselves. */
export interface ByHandCommands {
  execute(command: IssueGrant): Promise<GrantIssue>;
  execute(command: RevokeGrant | SetOverride | RemoveOverride): Promise<CommandResult>;
}

export interface GrantsServiceOptions {
  readonly commands: ByHandCommands;
  readonly repositories: Pick<Repositories, 'grants'>;
  readonly ops: Pick<OpsReader, 'currentCatalog'>;
  /** Unix ms. */
  readonly now: () => number;
}

/** Who asks, and by which `Idempotency-Key` (`null`: none). */
export interface Asking {
  readonly caller: Caller;
  readonly key: string | null;
}

/** Gives and sets by hand what the plan catalogue has, and takes it back. */
export class GrantsService {
  constructor(private readonly options: GrantsServiceOptions) {}

  /**
   * Issues a grant, once by its id.
   * @throws ProblemError `unknown_plan`, `unknown_addon`, `unknown_key`, `ends_before_start`, `idempotency_key_reused`
   */
  async issue(
    grant: string,
    userId: string,
    request: GrantRequest,
    { caller, key }: Asking,
  ): Promise<GrantIssue> {
    const { commands, now } = this.options;
    const data: GrantIssuedData = {
      grant,
      userId,
      plan: request.plan ?? null,
      addons: request.addons ?? {},
      features: [...new Set(request.features)],
      limits: request.limits ?? {},
      startsAt: instantOf(request.startsAt),
      expiresAt: instantOf(request.expiresAt),
      reason: request.reason,
      actor: request.actor ?? caller.name,
    };
    const before = key === null ? null : await this.#issued(grant);
    if (before === null) {
      checkNames(await this.#catalog(), request);
      checkEnd(data.expiresAt, data.startsAt === null ? now() : Date.parse(data.startsAt));
    }
    const issue = await commands.execute(new IssueGrant(data, originOf(caller, key)));
    if (canonicalJson(issue.grant) !== canonicalJson(data)) throw keyReused();
    return issue;
  }

  /** Revokes a grant of a user; of one that is over nothing is left to revoke. @throws ProblemError `not_found` */
  async revoke(
    grant: string,
    userId: string,
    withdrawal: WithdrawalQuery,
    { caller, key }: Asking,
  ): Promise<CommandResult> {
    const issued = await this.#issued(grant);
    if (issued?.userId !== userId) throw new ProblemError('not_found', 'The user has no such grant.');
    const { commands, now } = this.options;
    return commands.execute(
      new RevokeGrant(grant, withdrawalOf(withdrawal, caller), now(), originOf(caller, key)),
    );
  }

  /** Sets what a user has of a key. @throws ProblemError `unknown_key`, `ends_before_start` */
  async set(
    userId: string,
    key: string,
    request: OverrideRequest,
    { caller, key: idempotencyKey }: Asking,
  ): Promise<CommandResult> {
    const data = {
      userId,
      key,
      value: request.value ?? null,
      add: request.add ?? null,
      expiresAt: instantOf(request.expiresAt),
      reason: request.reason,
      actor: request.actor ?? caller.name,
    };
    checkKey(await this.#catalog(), overrideKindOf(data), key);
    checkEnd(data.expiresAt, this.options.now());
    return this.options.commands.execute(new SetOverride(data, originOf(caller, idempotencyKey)));
  }

  /** Removes what was set of a key, as a feature and as a limit; of what is not set nothing. */
  remove(
    userId: string,
    key: string,
    withdrawal: WithdrawalQuery,
    { caller, key: idempotencyKey }: Asking,
  ): Promise<CommandResult> {
    const { commands, now } = this.options;
    const origin = originOf(caller, idempotencyKey);
    return commands.execute(new RemoveOverride(userId, key, withdrawalOf(withdrawal, caller), now(), origin));
  }

  async #issued(grant: string): Promise<GrantIssuedData | null> {
    const { grants } = this.options.repositories;
    return (await grants.stateOf(grantStream(grants.streamPrefix, grant))).issued;
  }

  async #catalog(): Promise<PlanCatalog> {
    const catalog = await this.options.ops.currentCatalog();
    if (catalog === null) throw new ReadModelNotReadyError();
    return catalog;
  }
}

function checkEnd(expiresAt: string | null, startsAt: number): void {
  if (expiresAt === null || Date.parse(expiresAt) > startsAt) return;
  throw new ProblemError('ends_before_start', 'expiresAt must be after its start.');
}
