import { Body, Controller, Get, Param, Post, Query, UseGuards } from '@nestjs/common';
import { ApiConsumes, ApiParam, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { BODY_PROBLEMS, Describe } from '../../http/describe.js';
import { minPositionParameter } from '../../http/read-position.js';
import { jsonReply, type Reply } from '../../http/reply.js';
import { bodyPipe, NoQueryGuard, queryPipe } from '../../http/validation.js';
import { EntitlementTokens, type IssuedToken } from '../../tokens/entitlement-token.js';
import { SigningKeys } from '../../tokens/signing-keys.js';
import { checkUserId } from '../entitlements/entitlements.service.js';
import {
  type IntrospectionRequest,
  introspectionRequest,
  introspectionResponse,
  jwksResponse,
  tokenResponse,
} from './tokens.schemas.js';

const tokenQuery = z.strictObject({ minPosition: minPositionParameter });
/** Seconds for which a key set may be kept; with the time that an instance keeps it, less than keys are published ahead. */
const JWKS_SECONDS = 60;
const READING = ['read_model_not_ready', 'database_unavailable'] as const;

/** Entitlement tokens: signed, so that who has the keys can check them with no network. */
@ApiTags('Tokens')
@Controller()
export class TokensController {
  constructor(
    private readonly tokens: EntitlementTokens,
    private readonly keys: SigningKeys,
  ) {}

  @Post('v1/users/:userId/token')
  @ApiParam({ name: 'userId', type: String })
  @Describe({
    summary: 'A signed token of what a user may do now, for a few minutes',
    ok: {
      description: 'The token; it ends with `TOKEN_SECONDS`, and with `validUntil`',
      schema: tokenResponse,
    },
    problems: [
      'invalid_user_id',
      'invalid_request',
      'unsupported_parameter',
      'malformed_url',
      ...BODY_PROBLEMS,
      ...READING,
    ],
    access: 'entitlements:read',
    userTokens: 'path',
    position: 'read',
  })
  async issue(
    @Param('userId') userId: string,
    @Query(queryPipe(tokenQuery)) _query: z.infer<typeof tokenQuery>,
  ): Promise<IssuedToken> {
    checkUserId(userId);
    return this.tokens.issue(userId);
  }

  @Post('v1/introspect')
  @UseGuards(NoQueryGuard)
  @ApiConsumes('application/x-www-form-urlencoded')
  @Describe({
    summary: 'Whether an entitlement token holds (RFC 7662)',
    ok: {
      description:
        '`active: false` of one that ended, is not ours, or whose `ver` is stale; nothing else is said then',
      schema: introspectionResponse,
    },
    body: introspectionRequest,
    problems: [
      'invalid_request',
      'payload_too_large',
      'unsupported_media_type',
      'unsupported_parameter',
      ...READING,
    ],
    access: 'entitlements:read',
  })
  async introspect(@Body(bodyPipe(introspectionRequest)) { token }: IntrospectionRequest) {
    const claims = await this.tokens.introspect(token);
    return claims === null ? { active: false } : { active: true, ...claims };
  }

  @Get('.well-known/jwks.json')
  @UseGuards(NoQueryGuard)
  @Describe({
    summary: 'The public keys of entitlement tokens (RFC 7517)',
    ok: {
      description: 'Keys that sign, that will, and that did as long as a token of theirs holds',
      schema: jwksResponse,
      type: 'application/jwk-set+json',
    },
    problems: ['unsupported_parameter', 'database_unavailable'],
    access: 'open',
  })
  async jwks(): Promise<Reply> {
    const keys = await this.keys.published();
    const headers = {
      'content-type': 'application/jwk-set+json',
      'cache-control': `public, max-age=${JWKS_SECONDS}`,
    };
    return jsonReply(200, { keys }, headers);
  }
}
