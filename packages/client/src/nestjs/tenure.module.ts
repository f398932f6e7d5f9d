import { type DynamicModule, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { EntitlementGuard } from './entitlement.guard.js';
import { TENURE_OPTIONS, type TenureModuleOptions } from './tenure.options.js';

export type { TenureModuleOptions } from './tenure.options.js';

/** What `@RequireFeature` and `@RequireRole` need, for the whole application. Its guard is closed when the application closes. */
export class TenureModule implements OnApplicationShutdown {
  constructor(private readonly options: TenureModuleOptions) {}

  static forRoot(options: TenureModuleOptions): DynamicModule {
    return {
      module: TenureModule,
      global: true,
      providers: [{ provide: TENURE_OPTIONS, useValue: options }, EntitlementGuard],
      exports: [TENURE_OPTIONS, EntitlementGuard],
    };
  }

  onApplicationShutdown(): void {
    this.options.guard.close();
  }
}
Module({})(TenureModule);
Inject(TENURE_OPTIONS)(TenureModule, undefined, 0);
