export { type ClientOptions, createTenureClient, type TenureClient } from './browser/client.js';
export type { Channel, Clock, Environment, KeptTexts, Page, TabLocks } from './browser/environment.js';
export { TenureError } from './browser/errors.js';
export type { Addon, Checkout, CheckoutChoice, Plan, PlanPrice, Plans } from './browser/plans.js';
export type { AccessChanged } from './browser/session-options.js';
export { type AccessChange, accessChange, type Limit, type Snapshot } from './browser/snapshot.js';
export type { ClientState, FeatureReason, FeatureState, Status } from './browser/state.js';
export type { UpgradeOptions, UpgradeResult, UpgradeState } from './browser/upgrade.js';
