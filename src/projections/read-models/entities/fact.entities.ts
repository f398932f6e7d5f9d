import { EntitySchema } from 'typeorm';
import {
  bigint,
  flag,
  idText,
  instant,
  int,
  keyOf,
  nullable,
  SCHEMA,
  text,
} from '../../../database/columns.js';

/**
 * A subscription: whose it is, the claims that say otherwise (JSON, `null` when none does), and whether its customer was
 * seen deleted.
 */
export interface SubscriptionRow {
  readonly generation: number;
  readonly subscription: string;
  readonly customer: string | null;
  readonly owner: string | null;
  readonly conflicts: string | null;
  readonly customerDeleted: boolean;
}

export const SubscriptionEntity = new EntitySchema<SubscriptionRow>({
  name: 'Subscription',
  schema: SCHEMA,
  tableName: 'subscription',
  columns: {
    generation: keyOf('subscription', int()),
    subscription: keyOf('subscription', idText()),
    customer: nullable(idText()),
    owner: nullable(idText()),
    conflicts: nullable(text()),
    customerDeleted: flag('customer_deleted'),
  },
  indices: [
    { name: 'subscription_generation_customer_idx', columns: ['generation', 'customer'] },
    { name: 'subscription_generation_owner_idx', columns: ['generation', 'owner'] },
    {
      name: 'subscription_generation_subscription_idx',
      columns: ['generation', 'subscription'],
      where: '(owner IS NULL)',
    },
    {
      name: 'subscription_generation_subscription_idx1',
      columns: ['generation', 'subscription'],
      where: '(conflicts IS NOT NULL)',
    },
  ],
});

/** One fact of a subscription; `body` is JSON. */
export interface SubscriptionFactRow {
  readonly generation: number;
  readonly subscription: string;
  readonly factId: string;
  readonly kind: 'observation' | 'invoice' | 'link';
  readonly body: string;
}

export const SubscriptionFactEntity = new EntitySchema<SubscriptionFactRow>({
  name: 'SubscriptionFact',
  schema: SCHEMA,
  tableName: 'subscription_fact',
  columns: {
    generation: keyOf('subscription_fact', int()),
    subscription: keyOf('subscription_fact', idText()),
    factId: keyOf('subscription_fact', idText('fact_id')),
    kind: text(),
    body: text(),
  },
  checks: [
    { name: 'subscription_fact_kind_check', expression: "kind in ('observation', 'invoice', 'link')" },
  ],
});

/** A customer with its facts (JSON), whose it is, and the claims that say otherwise (JSON). */
export interface CustomerRow {
  readonly generation: number;
  readonly customer: string;
  readonly owner: string | null;
  readonly conflicts: string | null;
  readonly facts: string;
}

export const CustomerEntity = new EntitySchema<CustomerRow>({
  name: 'Customer',
  schema: SCHEMA,
  tableName: 'customer',
  columns: {
    generation: keyOf('customer', int()),
    customer: keyOf('customer', idText()),
    owner: nullable(idText()),
    conflicts: nullable(text()),
    facts: text(),
  },
  indices: [
    {
      name: 'customer_generation_customer_idx',
      columns: ['generation', 'customer'],
      where: '(owner IS NULL)',
    },
    {
      name: 'customer_generation_customer_idx1',
      columns: ['generation', 'customer'],
      where: '(conflicts IS NOT NULL)',
    },
  ],
});

/** A checkout session with its facts (JSON) and what it names. */
export interface CheckoutRow {
  readonly generation: number;
  readonly session: string;
  readonly customer: string | null;
  readonly subscription: string | null;
  readonly owner: string | null;
  readonly conflicts: string | null;
  readonly purchase: boolean;
  readonly facts: string;
}

export const CheckoutEntity = new EntitySchema<CheckoutRow>({
  name: 'Checkout',
  schema: SCHEMA,
  tableName: 'checkout',
  columns: {
    generation: keyOf('checkout', int()),
    session: keyOf('checkout', idText()),
    customer: nullable(idText()),
    subscription: nullable(idText()),
    owner: nullable(idText()),
    conflicts: nullable(text()),
    purchase: flag('purchase'),
    facts: text(),
  },
  indices: [
    { name: 'checkout_owner_idx', columns: ['generation', 'owner'] },
    {
      name: 'checkout_unowned_idx',
      columns: ['generation', 'session'],
      where: '(purchase AND (owner IS NULL))',
    },
    { name: 'checkout_conflicts_idx', columns: ['generation', 'session'], where: '(conflicts IS NOT NULL)' },
    { name: 'checkout_generation_customer_idx', columns: ['generation', 'customer'] },
    { name: 'checkout_generation_subscription_idx', columns: ['generation', 'subscription'] },
  ],
});

/** A published catalogue and the snapshot of a user without a row under it, both JSON. */
export interface PlanCatalogRow {
  readonly generation: number;
  readonly position: string;
  readonly hash: string;
  readonly catalog: string;
  readonly defaultSnapshot: string;
  readonly publishedAt: Date;
}

export const PlanCatalogEntity = new EntitySchema<PlanCatalogRow>({
  name: 'PlanCatalog',
  schema: SCHEMA,
  tableName: 'plan_catalog',
  columns: {
    generation: keyOf('plan_catalog', int()),
    position: keyOf('plan_catalog', bigint()),
    hash: text(),
    catalog: text(),
    defaultSnapshot: text('default_snapshot'),
    publishedAt: instant('published_at'),
  },
});

/** The facts that are folded from the log, by generation. */
export const FACT_ENTITIES = [
  SubscriptionEntity,
  SubscriptionFactEntity,
  CustomerEntity,
  CheckoutEntity,
  PlanCatalogEntity,
];
