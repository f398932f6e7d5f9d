import type { z } from 'zod';
import type { importResponse } from './import.schemas.js';
import type { reconciliationResponse } from './reconciliation.schemas.js';

const STARTED_AT = '2026-11-29T09:40:00.000Z';

/** An import while it records. */
export const IMPORTING: z.input<typeof importResponse> = {
  id: '0b5f0c8e-93b4-4d0c-9d0a-3d3c4b1e8a11',
  afterwards: 'record',
  phase: 'recording',
  actor: 'key:deploy',
  startedAt: STARTED_AT,
  finishedAt: null,
  list: 'warnings',
  cursor: null,
  subscriptions: 1,
  purchases: 0,
  disputes: 0,
  refunds: 0,
  warnings: 0,
  read: 3,
  recorded: 1,
  unchanged: 0,
  unusable: 0,
  secondsLeft: 1,
  report: {
    users: { plus: 1 },
    subscriptions: { active: 1 },
    unlinked: { count: 0, first: [] },
    conflicts: { count: 0, first: [] },
    unmappedPrices: {},
    purchases: {},
    unlinkedPurchases: { count: 0, first: [] },
    unusableObjects: { count: 0, first: [] },
    severalSubscriptions: { count: 0, first: [] },
    newEvents: null,
  },
  failure: null,
};

/** A reconciliation while it looks. */
export const RECONCILING: z.input<typeof reconciliationResponse> = {
  id: '5d1f6f7a-2c1e-4c39-8a53-8f4f2e9b7c10',
  afterwards: 'record',
  gone: 'list',
  phase: 'running',
  actor: 'schedule',
  startedAt: STARTED_AT,
  finishedAt: null,
  events: 412,
  subscriptions: 40,
  purchases: 0,
  disputes: 0,
  refunds: 0,
  warnings: 0,
  report: null,
  failure: null,
};
