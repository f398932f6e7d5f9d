export { TenureError } from './browser/errors.js';
export { type AccessChange, accessChange, type Held, type Limit, type Snapshot } from './browser/snapshot.js';
