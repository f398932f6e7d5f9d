import { z } from 'zod';
import type { Account } from '../account.js';
import { invalidRequest, resourceMissing } from '../api-error.js';
import { SimulatedClock } from '../clock.js';
import { listOf } from '../http/lists.js';
import type { Router } from '../http/router.js';
import * as p from '../params.js';
import type { TestClock } from '../types.js';

const KEPT_SECONDS = 30 * 86_400;

/** `/v1/test_helpers/test_clocks`: times of their own for some customers (Stripe: "Test clocks"). */
export function testClockRoutes(router: Router, account: Account): void {
  const { testClockRows } = account;
  const path = '/v1/test_helpers/test_clocks';
  const create = z.strictObject({ frozen_time: p.timestamp, name: p.text.optional(), expand: p.expand });
  router.on('POST', path, create, ({ frozen_time, name }) => {
    const id = account.ids.next('clock');
    account.testClocks.set(id, new SimulatedClock(frozen_time));
    const clock: TestClock = {
      id,
      object: 'test_helpers.test_clock',
      created: account.now,
      deletes_after: account.now + KEPT_SECONDS,
      frozen_time,
      livemode: false,
      name: name ?? null,
      status: 'ready',
      status_details: {},
    };
    return account.add(testClockRows, clock, 'test_helpers.test_clock.created');
  });
  router.on('GET', path, z.strictObject(p.cursor), (cursor) => listOf(path, testClockRows, cursor));
  router.on('GET', `${path}/:id`, z.strictObject({ expand: p.expand }), (_, { id }) =>
    testClockOf(account, id),
  );
  const advance = z.strictObject({ frozen_time: p.timestamp, expand: p.expand });
  router.on('POST', `${path}/:id/advance`, advance, ({ frozen_time }, { id }) => {
    const before = testClockOf(account, id);
    if (frozen_time <= before.frozen_time) {
      throw invalidRequest('frozen_time must be after the current frozen time of the test clock.', {
        param: 'frozen_time',
      });
    }
    account.emit('test_helpers.test_clock.advancing', { ...before, status: 'advancing' } as TestClock);
    account.clockOf(id).moveTo(frozen_time);
    const after = account.change(testClockRows, id, { frozen_time });
    account.emit('test_helpers.test_clock.ready', after);
    return {
      ...after,
      status: 'advancing',
      status_details: { advancing: { target_frozen_time: frozen_time } },
    };
  });
  router.on('DELETE', `${path}/:id`, z.strictObject({}), (_, { id }) => {
    account.emit('test_helpers.test_clock.deleted', testClockOf(account, id));
    forgetLives(account, id);
    testClockRows.remove(id);
    return { id, object: 'test_helpers.test_clock', deleted: true };
  });
}

function testClockOf(account: Account, id: string): TestClock {
  const clock = account.testClockRows.find(id);
  if (clock === undefined) throw resourceMissing('test clock', id);
  return clock;
}

/** With a test clock its customers and their subscriptions are gone, and no event says so. */
function forgetLives(account: Account, clock: string): void {
  for (const customer of [...account.customers.select({ where: (row) => row.test_clock === clock })]) {
    for (const { id } of [...account.subscriptions.select({ by: ['customer', customer.id] })]) {
      account.subscriptions.remove(id);
    }
    account.deletedCustomers.add(customer.id);
  }
}
