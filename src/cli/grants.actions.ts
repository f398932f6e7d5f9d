import { randomUUID } from 'node:crypto';
import { grantView, grantViews, overrideViews } from '../api/grants/by-hand.views.js';
import { type ByHandCommands, GrantsService } from '../api/grants/grants.service.js';
import type { CommandResult } from '../commands/aggregate.js';
import {
  type GrantIssue,
  IssueGrantHandler,
  RemoveOverrideHandler,
  RevokeGrantHandler,
  SetOverrideHandler,
} from '../commands/by-hand.handlers.js';
import { IssueGrant, RevokeGrant } from '../commands/grant.aggregate.js';
import { RemoveOverride, SetOverride } from '../commands/overrides.aggregate.js';
import { Repositories } from '../commands/repositories.js';
import type { Limit } from '../events/catalog.events.js';
import { ProblemError } from '../http/problem.js';
import type { Combination } from '../policy/combine.js';
import { ByHandReader } from '../projections/read-models/by-hand.reader.js';
import { readCurrentCatalog } from '../projections/read-models/current-catalog.js';
import type { JsonOption, Reason } from './arguments.js';
import { keptIn } from './kept-user-ids.js';
import { withServicePool } from './service-pool.js';
import { operator, show, type Terminal, table } from './terminal.js';
import { withLog } from './with-log.js';
import { knownLog } from './with-read-side.js';

/** Times are Unix ms. */
export interface IssueOptions extends Reason, JsonOption {
  readonly plan?: string;
  readonly addon: Readonly<Record<string, number>>;
  readonly feature: readonly string[];
  readonly limit: Readonly<Record<string, Limit>>;
  readonly from?: number;
  readonly until?: number;
}

export interface SetOptions extends Reason, JsonOption {
  readonly value?: boolean | Limit | undefined;
  readonly add?: number;
  readonly until?: number;
}

/** `tenure grants issue`. @throws ProblemError as the API refuses */
export function issueGrant(terminal: Terminal, userId: string, options: IssueOptions): Promise<void> {
  const { plan, addon, feature, limit, from, until, ...said } = options;
  const request = {
    ...(plan === undefined ? {} : { plan }),
    addons: { ...addon },
    features: [...feature],
    limits: { ...limit },
    startsAt: instantOf(from),
    expiresAt: instantOf(until),
    reason: said.reason,
    actor: said.actor,
  };
  return withGrants(terminal, async (grants) => {
    const { grant, result } = await grants.issue(randomUUID(), userId, request, asking(terminal));
    const { outcome, position } = result;
    show(terminal, options, { userId, ...grantView(grant), outcome, position }, [
      `granted to ${userId}: ${grant.grant}`,
    ]);
  });
}

/** `tenure grants list`. */
export async function listGrants(terminal: Terminal, userId: string, options: JsonOption): Promise<void> {
  const grants = grantViews(await combined(terminal, userId));
  const rows = grants.map(({ grantId, state, plan, startsAt, expiresAt, actor, reason }) => [
    grantId,
    state,
    plan ?? '-',
    startsAt ?? '-',
    expiresAt ?? '-',
    actor,
    reason,
  ]);
  const headings = ['GRANT', 'STATE', 'PLAN', 'FROM', 'UNTIL', 'BY', 'REASON'];
  show(terminal, options, { grants }, [table(headings, rows)]);
}

/** `tenure grants revoke`. @throws ProblemError `not_found` */
export function revokeGrant(
  terminal: Terminal,
  userId: string,
  grant: string,
  options: Reason & JsonOption,
): Promise<void> {
  const { reason, actor } = options;
  return withGrants(terminal, async (grants) => {
    const { outcome, position } = await grants.revoke(grant, userId, { reason, actor }, asking(terminal));
    const was = outcome === 'applied' ? 'is revoked' : 'was over before';
    show(terminal, options, { outcome, position }, [`${grant} ${was}`]);
  });
}

/** `tenure overrides set`. @throws ProblemError as the API refuses */
export function setOverride(
  terminal: Terminal,
  userId: string,
  key: string,
  options: SetOptions,
): Promise<void> {
  const { value, add, until, reason, actor } = options;
  if ((value === undefined) === (add === undefined)) {
    throw new ProblemError('invalid_request', 'It needs either a value or --add.');
  }
  const request = { value, add, expiresAt: instantOf(until), reason, actor };
  return withGrants(terminal, async (grants) => {
    const { outcome, position } = await grants.set(userId, key, request, asking(terminal));
    const was = outcome === 'applied' ? 'is set' : 'was set so before';
    show(terminal, options, { outcome, position }, [`${key} of ${userId} ${was}`]);
  });
}

/** `tenure overrides list`. */
export async function listOverrides(terminal: Terminal, userId: string, options: JsonOption): Promise<void> {
  const overrides = overrideViews(await combined(terminal, userId));
  const rows = overrides.map(({ key, kind, state, value, planValue, expiresAt, actor, reason }) => [
    key,
    kind,
    state,
    String(value),
    String(planValue),
    expiresAt ?? '-',
    actor,
    reason,
  ]);
  const headings = ['KEY', 'KIND', 'STATE', 'VALUE', 'WITHOUT', 'UNTIL', 'BY', 'REASON'];
  show(terminal, options, { overrides }, [table(headings, rows)]);
}

/** `tenure overrides remove`. */
export function removeOverride(
  terminal: Terminal,
  userId: string,
  key: string,
  options: Reason & JsonOption,
): Promise<void> {
  const { reason, actor } = options;
  return withGrants(terminal, async (grants) => {
    const { outcome, position } = await grants.remove(userId, key, { reason, actor }, asking(terminal));
    const was = outcome === 'applied' ? 'is removed' : 'was not set';
    show(terminal, options, { outcome, position }, [`${key} of ${userId} ${was}`]);
  });
}

/** Lets `work` give and take by hand as the API does. @throws OtherLogError when the settings name another log */
function withGrants(terminal: Terminal, work: (grants: GrantsService) => Promise<void>): Promise<void> {
  return withLog(terminal, 'write', async ({ settings: { streamPrefix }, store, now, pool }) => {
    const repositories = new Repositories(store, {
      streamPrefix,
      now,
      mayWrite: knownLog(store, pool),
      userIds: keptIn(terminal),
    });
    const ops = { currentCatalog: () => readCurrentCatalog(pool) };
    await work(new GrantsService({ commands: handledBy(repositories), repositories, ops, now }));
  });
}

function handledBy(repositories: Repositories): ByHandCommands {
  function execute(command: IssueGrant): Promise<GrantIssue>;
  function execute(command: RevokeGrant | SetOverride | RemoveOverride): Promise<CommandResult>;
  function execute(
    command: IssueGrant | RevokeGrant | SetOverride | RemoveOverride,
  ): Promise<GrantIssue | CommandResult> {
    if (command instanceof IssueGrant) return new IssueGrantHandler(repositories).execute(command);
    if (command instanceof RevokeGrant) return new RevokeGrantHandler(repositories).execute(command);
    if (command instanceof SetOverride) return new SetOverrideHandler(repositories).execute(command);
    return new RemoveOverrideHandler(repositories).execute(command);
  }
  return { execute };
}

function combined(terminal: Terminal, userId: string): Promise<Combination> {
  return withServicePool(terminal, 'read', async ({ pool }) => {
    return (await new ByHandReader({ pool, now: Date.now }).combined(userId)).combination;
  });
}

function asking(terminal: Terminal) {
  const actor = operator(terminal);
  return { caller: { actor, name: actor, requestId: randomUUID(), userId: null, endsAt: null }, key: null };
}

function instantOf(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}
