import { type CanActivate, type ExecutionContext, HttpException, Inject, Injectable } from '@nestjs/common';
import { decideFor, type RequestHeaders } from '../server/bearer.js';
import { holdClaims } from '../server/held-claims.js';
import { refusalOf } from '../server/refusal.js';
import { requirementsOf } from './required.js';
import { TENURE_OPTIONS, type TenureModuleOptions } from './tenure.options.js';

/** What is needed of a request and a response, be they of Express or of Fastify. */
interface HttpRequest {
  readonly headers: RequestHeaders;
}
interface HttpReply {
  header?(name: string, value: string): unknown;
}

/** Decides by what `@RequireFeature` and `@RequireRole` say; who is refused gets an HttpException of 401, 403 or 503. */
export class EntitlementGuard implements CanActivate {
  constructor(private readonly options: TenureModuleOptions) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const required = requirementsOf(context.getHandler(), context.getClass());
    if (required.length === 0) throw new Error('EntitlementGuard stands where nothing is required');
    const isHttp = context.getType() === 'http';
    const request = isHttp ? context.switchToHttp().getRequest<HttpRequest>() : null;
    for (const requirement of required) {
      const { guard } = this.options;
      const decision = await decideFor(guard, requirement, context, this.options, request?.headers ?? {});
      if (!decision.allowed) {
        const { status, headers, problem } = refusalOf(decision, requirement);
        const reply = isHttp ? context.switchToHttp().getResponse<HttpReply>() : null;
        for (const [name, value] of Object.entries(headers)) reply?.header?.(name, value);
        throw new HttpException(problem, status);
      }
      if (request !== null) holdClaims(request, decision.claims);
    }
    return true;
  }
}
Injectable()(EntitlementGuard);
Inject(TENURE_OPTIONS)(EntitlementGuard, undefined, 0);
