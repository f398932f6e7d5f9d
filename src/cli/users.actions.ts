import type { Snapshot } from '../projections/entitlements/snapshot.js';
import { EntitlementReader } from '../projections/read-models/entitlement.reader.js';
import {
  UserFactsReader,
  type UserSubscription,
  type UserVersion,
} from '../projections/read-models/user-facts.reader.js';
import type { JsonOption } from './arguments.js';
import { withServicePool } from './service-pool.js';
import { show, type Terminal, table } from './terminal.js';

/** `tenure users show`. */
export async function showUser(terminal: Terminal, userId: string, options: JsonOption): Promise<void> {
  const shown = await withServicePool(terminal, 'read', async ({ pool }) => {
    const facts = new UserFactsReader(pool);
    const { snapshot } = await new EntitlementReader(pool).read(userId);
    return {
      snapshot,
      version: await facts.version(userId),
      subscriptions: await facts.subscriptions(userId),
    };
  });
  show(terminal, options, shown, [
    ...snapshotLines(shown.snapshot, shown.version),
    ...(shown.subscriptions.length === 0 ? ['no subscriptions'] : [subscriptionsTable(shown.subscriptions)]),
  ]);
}

function snapshotLines(snapshot: Snapshot, { counter, offset, generation }: UserVersion): readonly string[] {
  const { userId, plan, role, status, features, limits, pendingPayment, faulted, scheduledChange } = snapshot;
  const rows: readonly (readonly [string, string | null])[] = [
    ['user', userId],
    ['plan', `${plan} (role ${role}, status ${status})`],
    ['features', features.join(', ') || 'none'],
    [
      'limits',
      Object.entries(limits)
        .map(([limit, value]) => `${limit} ${value}`)
        .join(', ') || 'none',
    ],
    ['version', `${snapshot.revocationVersion} (${counter} in generation ${generation}, offset ${offset})`],
    ['changed', snapshot.changedAt === null ? null : `${snapshot.changedAt} at ${snapshot.position}`],
    ['expires', snapshot.expiresAt],
    ['ends', snapshot.cancelAt],
    ['valid until', snapshot.validUntil],
    ['to come', scheduledChange === null ? null : `${scheduledChange.plan} at ${scheduledChange.at}`],
    ['waits for', pendingPayment === null ? null : `${pendingPayment.plan} (${pendingPayment.reason})`],
    ['faulted', faulted === undefined ? null : `at ${faulted.position} since ${faulted.since}`],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.flatMap(([name, value]) => (value === null ? [] : [`${name.padEnd(width)}  ${value}`]));
}

function subscriptionsTable(subscriptions: readonly UserSubscription[]): string {
  return table(
    ['SUBSCRIPTION', 'CUSTOMER', 'STATUS', 'ITEMS', 'PERIOD END', 'CANCEL AT', 'SEEN'],
    subscriptions.map(({ subscription, customer, status, items, currentPeriodEnd, cancelAt, seenAt }) => [
      subscription,
      customer ?? '-',
      status ?? '-',
      items.map(({ price, quantity }) => `${price} x ${quantity ?? 1}`).join(', ') || '-',
      currentPeriodEnd ?? '-',
      cancelAt ?? '-',
      seenAt ?? '-',
    ]),
  );
}
