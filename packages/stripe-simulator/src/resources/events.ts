import { z } from 'zod';
import type { Account } from '../account.js';
import { invalidRequest, resourceMissing } from '../api-error.js';
import { type EventRow, snapshotEvent, thinEvent } from '../events.js';
import { listOf } from '../http/lists.js';
import type { Router } from '../http/router.js';
import * as p from '../params.js';

/** Types that one list may name (Stripe: "List all events"). */
const MOST_TYPES = 20;

/** `/v1/events` and `/v2/core/events`: the last 30 days, newest first. */
export function eventRoutes(router: Router, account: Account): void {
  const { rows } = account.events;
  const list = z.strictObject({
    ...p.cursor,
    created: p.range,
    delivery_success: p.boolean.optional(),
    type: p.text.optional(),
    types: z.array(p.text).max(MOST_TYPES).optional(),
  });
  router.on('GET', '/v1/events', list, (params) => {
    if (params.type !== undefined && params.types !== undefined) {
      throw invalidRequest('You may only specify one of these parameters: type, types.', {
        code: 'parameters_exclusive',
      });
    }
    const named = params.type === undefined ? params.types : [params.type];
    const wanted = named === undefined ? null : named.map(patternOf);
    const page = listOf('/v1/events', rows, params, {
      where: (row) =>
        (wanted === null || wanted.some((pattern) => pattern(row.type))) &&
        p.isWithin(params.created, row.created) &&
        wasDelivered(row, params.delivery_success),
    });
    return { ...page, data: page.data.map(snapshotEvent) };
  });
  router.on('GET', '/v1/events/:id', z.strictObject({ expand: p.expand }), (_, { id }) => {
    const row = rows.find(id);
    if (row === undefined) throw resourceMissing('event', id);
    return snapshotEvent(row);
  });

  const listThin = z.strictObject({
    limit: p.cursor.limit,
    object_id: p.text.optional(),
    types: z.array(p.text).optional(),
    created: p.ignored,
    page: p.text.optional(),
  });
  router.on('GET', '/v2/core/events', listThin, ({ limit, object_id, types, page }) => {
    const found = rows.page(
      { limit, starting_after: page },
      {
        by: object_id === undefined ? undefined : ['object', object_id],
        where: (row) => types === undefined || types.includes(`v1.${row.type}`),
      },
    );
    const last = found.data.at(-1);
    const more = new URLSearchParams({ limit: String(limit), page: last?.id ?? '' });
    if (object_id !== undefined) more.set('object_id', object_id);
    types?.forEach((type, index) => void more.set(`types[${index}]`, type));
    return {
      data: found.data.map(thinEvent),
      next_page_url: found.has_more ? `/v2/core/events?${more}` : null,
      previous_page_url: null,
    };
  });
  router.on('GET', '/v2/core/events/:id', z.strictObject({}), (_, { id }) => {
    const row = rows.select({ by: ['thin', id] }).next().value;
    if (row === undefined || row === null) throw resourceMissing('event', id);
    return { ...thinEvent(row), changes: null };
  });
}

function patternOf(type: string): (of: string) => boolean {
  if (type === '*') return () => true;
  return type.endsWith('.*') ? (of) => of.startsWith(type.slice(0, -1)) : (of) => of === type;
}

/** `false` asks for what some endpoint has not taken yet. What no endpoint listened to when it happened is in neither. */
function wasDelivered({ deliveries }: EventRow, wanted: boolean | undefined): boolean {
  if (wanted === undefined) return true;
  if (deliveries.endpoints === 0) return false;
  return wanted === (deliveries.pending === 0 && !deliveries.failed);
}
