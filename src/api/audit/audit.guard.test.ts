import type { ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { requireKey } from '../../auth/require-key.js';
import type { RecordAuditAccess } from '../../commands/audit.aggregate.js';
import { EventStoreUnavailableError } from '../../event-store/errors.js';
import { AllowAccess } from '../../http/access.js';
import { AuditGuard } from './audit.guard.js';

class Routes {
  @AllowAccess('audit')
  audit(): void {}
  @AllowAccess('ops')
  ops(): void {}
}

describe('The guard of what is kept for audits', () => {
  let recorded: RecordAuditAccess['data'][];
  let record: () => 'applied' | 'duplicate';
  let isStoreAway: boolean;
  beforeEach(() => {
    [recorded, record, isStoreAway] = [[], () => 'applied', false];
  });

  const away = (): never => {
    throw new EventStoreUnavailableError('the store is away');
  };

  /** Lets a request pass to a route with this path, or not. */
  async function passes(
    route: keyof Routes,
    path: string,
    { params = {}, query = {} }: { readonly params?: object; readonly query?: object } = {},
  ): Promise<boolean> {
    const request = { route: { path }, params, query, headers: {}, socket: {} };
    const principal = { actor: 'key:key_1', scopes: new Set(['audit'] as const) };
    const admitting = requireKey({ admit: () => principal } as never);
    await admitting(request as never, {} as never, () => undefined);
    const guard = new AuditGuard({
      reflector: new Reflector(),
      commands: {
        execute: async (command: unknown): Promise<never> => {
          const outcome = record();
          recorded.push((command as RecordAuditAccess).data);
          return { outcome } as never;
        },
      },
      store: { head: async () => (isStoreAway ? away() : '1') },
      now: () => Date.parse('2026-11-29T10:25:00.000Z'),
    });
    const context = {
      getHandler: () => Routes.prototype[route],
      switchToHttp: () => ({ getRequest: () => request }),
    };
    return guard.canActivate(context as unknown as ExecutionContext);
  }

  it.each<[string, object, object, string, string | null]>([
    ['/v1/audit/users/:userId/history', { userId: 'ann' }, {}, 'history', 'ann'],
    ['/v1/audit/events', {}, { user: 'ann' }, 'events', 'ann'],
    ['/v1/audit/events', {}, {}, 'events', null],
  ])('records whoever reads %s', async (path, params, query, kind, userId) => {
    expect(await passes('audit', path, { params, query })).toBe(true);
    expect(recorded).toEqual([{ reader: 'key:key_1', kind, userId, hour: '2026-11-29T10:00:00.000Z' }]);
  });

  it('records nothing of other routes, and nothing of whom no id can name', async () => {
    expect(await passes('ops', '/v1/ops/unlinked')).toBe(true);
    await expect(passes('audit', '/v1/audit/events', { query: { user: '\n' } })).rejects.toMatchObject({
      code: 'invalid_user_id',
    });
    await expect(passes('audit', '/v1/audit/events', { query: { user: ['a', 'b'] } })).rejects.toMatchObject({
      code: 'invalid_request',
    });
    expect(recorded).toEqual([]);
  });

  it('lets nobody read while the store is away, recorded before or not', async () => {
    const path = '/v1/audit/events';
    record = away;
    await expect(passes('audit', path)).rejects.toThrow('the store is away');
    record = () => 'duplicate';
    expect(await passes('audit', path)).toBe(true);
    isStoreAway = true;
    await expect(passes('audit', path)).rejects.toThrow('the store is away');
  });
});
