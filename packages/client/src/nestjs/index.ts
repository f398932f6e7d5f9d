export { entitlementsOf } from '../server/held-claims.js';
export { EntitlementGuard } from './entitlement.guard.js';
export { RequireFeature, RequireRole } from './requirements.js';
export { TenureModule, type TenureModuleOptions } from './tenure.module.js';
