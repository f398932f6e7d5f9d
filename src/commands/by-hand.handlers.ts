import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { GrantIssuedData } from '../events/grant.events.js';
import { grantStream } from '../events/stream-names.js';
import type { CommandResult } from './aggregate.js';
import { IssueGrant, RevokeGrant } from './grant.aggregate.js';
import { RemoveOverride, SetOverride } from './overrides.aggregate.js';
import { Repositories } from './repositories.js';

/** What came of issuing a grant, which is the one that the log holds: of its id there may be one of other contents. */
export interface GrantIssue {
  readonly result: CommandResult;
  readonly grant: GrantIssuedData;
}

@CommandHandler(IssueGrant)
export class IssueGrantHandler implements ICommandHandler<IssueGrant, GrantIssue> {
  constructor(private readonly repositories: Repositories) {}

  async execute(command: IssueGrant): Promise<GrantIssue> {
    const { grants } = this.repositories;
    const result = await grants.execute(command);
    if (result.outcome === 'applied') return { result, grant: command.data };
    const { issued } = await grants.stateOf(grantStream(grants.streamPrefix, command.grant));
    return { result, grant: issued ?? command.data };
  }
}

@CommandHandler(RevokeGrant)
export class RevokeGrantHandler implements ICommandHandler<RevokeGrant, CommandResult> {
  constructor(private readonly repositories: Repositories) {}

  execute(command: RevokeGrant): Promise<CommandResult> {
    return this.repositories.grants.execute(command);
  }
}

@CommandHandler(SetOverride)
export class SetOverrideHandler implements ICommandHandler<SetOverride, CommandResult> {
  constructor(private readonly repositories: Repositories) {}

  execute(command: SetOverride): Promise<CommandResult> {
    return this.repositories.overrides.execute(command);
  }
}

@CommandHandler(RemoveOverride)
export class RemoveOverrideHandler implements ICommandHandler<RemoveOverride, CommandResult> {
  constructor(private readonly repositories: Repositories) {}

  execute(command: RemoveOverride): Promise<CommandResult> {
    return this.repositories.overrides.execute(command);
  }
}

/** Handlers of what people do for a user by hand. */
export const BY_HAND_HANDLERS = [
  IssueGrantHandler,
  RevokeGrantHandler,
  SetOverrideHandler,
  RemoveOverrideHandler,
];
