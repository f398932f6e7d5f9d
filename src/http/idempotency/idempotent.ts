import { applyDecorators, SetMetadata } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import { ApiHeader } from '@nestjs/swagger';

/** How the reply to a keyed request is kept: `plain` as it is, `sealed` where it shows a secret. */
export type KeptAs = 'plain' | 'sealed';

const KEPT_AS = 'tenure:kept-as';

/** Says that a route takes an `Idempotency-Key`, and how its replies are kept. */
export function Idempotent(keptAs: KeptAs): MethodDecorator {
  return applyDecorators(
    SetMetadata<string, KeptAs>(KEPT_AS, keptAs),
    ApiHeader({
      name: 'Idempotency-Key',
      required: false,
      description:
        '1 to 255 characters: for a caller, method and path the same bytes get the same reply for 24 h',
      schema: { type: 'string', minLength: 1, maxLength: 255 },
    }),
  );
}

/** How replies of the route of this handler are kept; `undefined` where it takes no key. */
export function keptAsOf(reflector: Reflector, handler: Parameters<Reflector['get']>[1]): KeptAs | undefined {
  return reflector.get<KeptAs | undefined>(KEPT_AS, handler);
}
