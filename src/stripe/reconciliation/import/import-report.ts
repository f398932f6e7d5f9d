import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { metadataOf } from '../../../commands/aggregate.js';
import type { EventEnvelope } from '../../../events/event-envelope.js';
import { currentSchemaVersion } from '../../../events/event-types.js';
import { GENESIS_HASH } from '../../../events/hash-chain.js';
import { judge } from '../../../policy/judge.js';
import { orderObservations, statusOf } from '../../../policy/order.js';
import { openPurchase, purchaseAccesses } from '../../../policy/purchases.js';
import { readLiveCheckpoint } from '../../../projections/engine/checkpoint.js';
import { EventLoopShare } from '../../../projections/engine/yield-if-due.js';
import { Catalogs } from '../../../projections/entitlements/catalogs.js';
import { ENTITLEMENTS } from '../../../projections/entitlements/entitlements.projector.js';
import { FactReducer } from '../../../projections/entitlements/fact-reducer.js';
import { FactsLoader } from '../../../projections/entitlements/facts-loader.js';
import { RUNNING_RULES } from '../../../projections/entitlements/folding-rules.js';
import type { KeptSubscription } from '../../../projections/entitlements/kept-rows.js';
import { WorkingSet } from '../../../projections/entitlements/working-set.js';
import { WriteBatch } from '../../../projections/entitlements/write-batch.js';
import { NoCatalogError } from '../../../projections/rebuild/errors.js';
import type { ImportItem } from './import-item.js';
import type { ImportReport } from './import-report.schema.js';

/** So many of a kind are listed. */
const FIRST = 100;
const LIVE: ReadonlySet<string> = new Set(['active', 'trialing', 'past_due']);

/**
 * Folds items on top of the live generation, by the very code of the projection and in memory alone, and judges whom they
 * concern. Nothing is written. `pages` are the items in the order in which they would be recorded.
 * @throws NoCatalogError
 */
export async function importReport(
  pool: Pool,
  pages: AsyncIterable<readonly ImportItem[]>,
  now: number,
): Promise<Omit<ImportReport, 'unusableObjects' | 'newEvents'>> {
  const live = await readLiveCheckpoint(pool, ENTITLEMENTS);
  if (live === null) throw new NoCatalogError();
  const { generation } = live;
  const catalogs = new Catalogs(pool, generation, RUNNING_RULES);
  await catalogs.load();
  const { inForce } = catalogs;
  if (inForce === null) throw new NoCatalogError();
  const workingSet = new WorkingSet();
  const loader = new FactsLoader(pool, generation, workingSet);
  const loopShare = new EventLoopShare();
  const named = {
    subscription: new Set<string>(),
    customer: new Set<string>(),
    checkout: new Set<string>(),
    payment: new Set<string>(),
  };
  for await (const page of pages) {
    const events = page.map((item) => drafted(item, now));
    const reducer = new FactReducer(workingSet, loader, new WriteBatch());
    await reducer.prefetch(events);
    for (const [index, event] of events.entries()) {
      await reducer.fold(event);
      const item = page[index];
      if (item !== undefined) named[item.category].add(item.id);
      await loopShare.yieldIfDue();
    }
  }
  const rows = [...named.subscription]
    .sort()
    .flatMap((id) => workingSet.subscriptions.get(id) ?? [])
    .map((row) => ({ row, status: newestStatus(row) }));
  const inUse = rows.filter(({ status }) => LIVE.has(status)).map(({ row }) => row);
  const sessions = [...named.checkout].sort().flatMap((id) => workingSet.checkouts.get(id) ?? []);
  const purchases = new Counts();
  const givesPlan = sessions.filter((row) => {
    const purchase = openPurchase(row, inForce.catalog);
    const plans = purchase === null ? [] : purchaseAccesses(purchase).flatMap(({ plan }) => plan?.name ?? []);
    for (const plan of plans) purchases.add(plan);
    return plans.length > 0;
  });
  const owners = [...rows.map(({ row }) => row), ...sessions].flatMap(({ owner }) => owner ?? []);
  const userIds = [...new Set(owners)].sort();
  await loader.users(userIds, inForce.byDefault);
  const [users, unmappedPrices] = [new Counts(), new Counts()];
  for (const userId of userIds) {
    const { entitlement } = judge(workingSet.factsOfUser(userId), inForce.catalog, now);
    users.add(entitlement.plan);
    for (const price of entitlement.unmappedPrices) unmappedPrices.add(price);
    await loopShare.yieldIfDue();
  }
  const subscriptions = new Counts();
  for (const { status } of rows) subscriptions.add(status);
  const customers = [...named.customer].sort().flatMap((id) => workingSet.customers.get(id) ?? []);
  return {
    users: users.byName,
    subscriptions: subscriptions.byName,
    unlinked: listed(
      inUse
        .filter(({ owner }) => owner === null)
        .map(({ subscription, customer }) => ({ subscription, customer })),
    ),
    conflicts: listed([
      ...customers.filter(isInConflict).map(({ customer: id }) => ({ kind: 'customer', id }) as const),
      ...rows
        .filter(({ row }) => isInConflict(row))
        .map(({ row: { subscription: id } }) => ({ kind: 'subscription', id }) as const),
      ...sessions.filter(isInConflict).map(({ session: id }) => ({ kind: 'checkout', id }) as const),
    ]),
    unmappedPrices: unmappedPrices.byName,
    purchases: purchases.byName,
    unlinkedPurchases: listed(
      givesPlan.filter(({ owner }) => owner === null).map(({ session, customer }) => ({ session, customer })),
    ),
    severalSubscriptions: listed(severalOf(inUse)),
  };
}

/** The event that an item would be. It is never appended: only what is folded of it counts. */
function drafted({ category, id, event, causation, answeredAt }: ImportItem, now: number): EventEnvelope {
  const stripe =
    answeredAt === null
      ? null
      : { eventId: null, eventType: null, created: answeredAt, apiVersion: null, livemode: false };
  const origin = { actor: 'import', correlationId: 'import', causation, stripe };
  return {
    ...event,
    stream: `${category}-${id}`,
    revision: 0,
    position: '0',
    id: randomUUID(),
    metadata: {
      ...metadataOf(origin, now, currentSchemaVersion(event.type)),
      prevHash: GENESIS_HASH,
      hash: GENESIS_HASH,
    },
  };
}

function newestStatus({ observations, customerDeleted }: KeptSubscription): string {
  if (customerDeleted) return 'canceled';
  return statusOf(orderObservations(observations).observations) ?? 'unknown';
}

function severalOf(live: readonly KeptSubscription[]) {
  const byOwner = new Map<string, string[]>();
  for (const { owner, subscription } of live) {
    if (owner !== null) byOwner.set(owner, [...(byOwner.get(owner) ?? []), subscription]);
  }
  return [...byOwner]
    .filter(([, subscriptions]) => subscriptions.length > 1)
    .map(([userId, subscriptions]) => ({ userId, subscriptions }))
    .sort((a, b) => (a.userId < b.userId ? -1 : 1));
}

function isInConflict({ conflicts }: { readonly conflicts: string | null }): boolean {
  return conflicts !== null;
}

/** How many there are, and the first of them. */
function listed<T>(all: readonly T[]): { readonly count: number; readonly first: T[] } {
  return { count: all.length, first: all.slice(0, FIRST) };
}

/** Counts by name. */
class Counts {
  readonly #counts = new Map<string, number>();

  add(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  get byName(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
