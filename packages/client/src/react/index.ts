'use client';

export { Feature, type FeatureProps } from './feature.js';
export {
  type Entitlements,
  type FeatureAnswer,
  type PlansAnswer,
  useEntitlements,
  useFeature,
  usePlans,
} from './hooks.js';
export { PricingTable, type PricingTableProps, type ShownPlan } from './pricing-table.js';
export { TenureProvider, type TenureProviderProps, useTenure } from './provider.js';
export { type TierUpgrade, useTierUpgrade } from './tier-upgrade.js';
