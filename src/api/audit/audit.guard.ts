import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import type { CommandBus } from '@nestjs/cqrs';
import type { Request } from 'express';
import { principalOf } from '../../auth/require-key.js';
import type { CommandResult } from '../../commands/aggregate.js';
import { RecordAuditAccess } from '../../commands/audit.aggregate.js';
import type { EventStore } from '../../event-store/event-store.js';
import { accessOf } from '../../http/access.js';
import { ProblemError } from '../../http/problem.js';
import { requestIdOf } from '../../http/request-id.js';
import { checkUserId } from '../entitlements/entitlements.service.js';

export interface AuditGuardOptions {
  readonly reflector: Reflector;
  readonly commands: Pick<CommandBus, 'execute'>;
  readonly store: Pick<EventStore, 'head'>;
  /** The writer's clock, Unix ms. */
  readonly now: () => number;
}

/**
 * Records who looks (DESIGN 10): every route that needs the scope `audit` is answered only once the log says who asked, for
 * what and of whom. The kind is the last word of the route's path, the user its parameter `userId` or `user`.
 */
export class AuditGuard implements CanActivate {
  constructor(private readonly options: AuditGuardOptions) {}

  /** @throws ProblemError `invalid_user_id`, `invalid_request`, and what the event store throws */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const { reflector, commands, store, now } = this.options;
    if (accessOf(reflector, context.getHandler()) !== 'audit') return true;
    const request = context.switchToHttp().getRequest<Request>();
    const { actor } = principalOf(request);
    const origin = { actor, correlationId: requestIdOf(request), stripe: null };
    const read = new RecordAuditAccess({ kind: kindOf(request), userId: userOf(request), at: now() }, origin);
    const { outcome } = await commands.execute<RecordAuditAccess, CommandResult>(read);
    // What is known from memory says nothing of the store, and without the log there is no audit.
    if (outcome === 'duplicate') await store.head();
    return true;
  }
}

function kindOf({ route }: Request): string {
  const path: unknown = route?.path;
  const words = typeof path === 'string' ? path.split('/').filter((word) => /^\w/.test(word)) : [];
  const kind = words.at(-1);
  if (kind === undefined) throw new Error('a route for auditors without a word in its path');
  return kind;
}

/** Whose records are asked for; `null`: everyone's. */
function userOf({ params, query }: Request): string | null {
  const user = params.userId ?? query.user;
  if (user === undefined) return null;
  if (typeof user !== 'string') throw new ProblemError('invalid_request', 'user must be given once.');
  checkUserId(user);
  return user;
}
