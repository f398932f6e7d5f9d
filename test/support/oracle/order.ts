import { isDeepStrictEqual } from 'node:util';
import type { SubscriptionItem } from '../../../src/events/subscription.events.js';
import type { InvoiceObservation, Observation } from '../../../src/policy/facts.js';

/*
 * DESIGN 5.3 by brute force: every order of a second is tried. Written from the text of the design alone, as a
 * second opinion on src/policy; slow on purpose.
 */

export const TERMINAL: readonly string[] = ['canceled', 'incomplete_expired'];

/** Each fact once by event id: what arrives twice is one fact. */
export function distinct<T extends { readonly eventId: string }>(facts: readonly T[]): T[] {
  const byId = new Map(facts.map((fact) => [fact.eventId, fact]));
  return [...byId.values()].sort(byEventId);
}

export function byEventId(a: { readonly eventId: string }, b: { readonly eventId: string }): number {
  return a.eventId < b.eventId ? -1 : a.eventId > b.eventId ? 1 : 0;
}

/** All observations of one subscription, each once, twins dropped, oldest first, with the items that are held. */
export function inOrder(observations: readonly Observation[]): Observation[] {
  const all = distinct(observations).map(withHeldItems);
  const seconds = [...new Set(all.map((o) => o.created))].sort((a, b) => a - b);
  const ordered: Observation[] = [];
  for (const second of seconds) {
    const here = all.filter((o) => o.created === second);
    ordered.push(...orderSecond(here, ordered.at(-1)));
  }
  return ordered;
}

/** Items of quantity 0 are not held, wherever they are listed (DESIGN 5 "Shapes"). */
function withHeldItems(o: Observation): Observation {
  const held = (items: readonly SubscriptionItem[]) => items.filter((item) => item.quantity !== 0);
  const { items, previous, pendingUpdate } = o.data;
  return {
    ...o,
    data: {
      ...o.data,
      items: held(items),
      previous: previous?.items === undefined ? previous : { ...previous, items: held(previous.items) },
      pendingUpdate: !pendingUpdate?.items
        ? pendingUpdate
        : { ...pendingUpdate, items: held(pendingUpdate.items) },
    },
  };
}

function orderSecond(here: readonly Observation[], earlier: Observation | undefined): Observation[] {
  const created = withoutTwins(here.filter((o) => place(o) === 'created'));
  const retrieved = here.filter((o) => place(o) === 'retrieved');
  const rest = withoutTwins(here.filter((o) => place(o) === 'rest'));
  const deleted = withoutTwins(here.filter((o) => place(o) === 'deleted'));
  return [...retrieved, ...created, ...orderRest(rest, created.at(-1) ?? earlier), ...deleted];
}

function place(o: Observation): 'created' | 'retrieved' | 'rest' | 'deleted' {
  if (o.type === 'SubscriptionRetrieved') return 'retrieved';
  if (o.stripeType === 'customer.subscription.created') return 'created';
  if (o.stripeType === 'customer.subscription.deleted') return 'deleted';
  return 'rest';
}

/** Twins count once: the one with the smallest event id stays. Input ascending by event id. */
function withoutTwins(observations: readonly Observation[]): Observation[] {
  return observations.filter(
    (o, i) => !observations.slice(0, i).some((other) => sameAccess(o, other) && samePrevious(o, other)),
  );
}

function samePrevious(a: Observation, b: Observation): boolean {
  return (a.data.previous?.digest ?? null) === (b.data.previous?.digest ?? null);
}

/**
 * The rest of a second. Those that change nothing access-bearing take no part in the question of order: each follows the
 * one it equals. One that equals none has nowhere to follow, and takes part. `rest` is ascending by event id.
 */
function orderRest(rest: readonly Observation[], before: Observation | undefined): Observation[] {
  const active = rest.filter(changesAccess);
  const places = before === undefined ? active : [before, ...active];
  const followers = rest.filter((o) => !changesAccess(o) && places.some((other) => sameAccess(o, other)));
  const order = orderOfActive(
    rest.filter((o) => !followers.includes(o)),
    before,
  );
  return withFollowers(order, followers, before);
}

/** Names an access-bearing field, or is of a type whose name says that one changes. */
function changesAccess(o: Observation): boolean {
  return FIELDS.some((field) => namedBefore(o, field) !== undefined || mayChangeSilently(o, field));
}

/** Most observations whose orders are tried. */
const MOST_TRIED = 9;

function orderOfActive(active: readonly Observation[], before: Observation | undefined): Observation[] {
  if (active.length > MOST_TRIED) return [...active];
  const free = before === undefined || !active.some((o) => canFollow(o, before));
  const valid = chains(active, free ? undefined : before);
  const [first] = valid;
  const end = first?.at(-1);
  if (first === undefined || end === undefined) return [...active];
  const oneEnd = valid.every((order) => {
    const last = order.at(-1);
    return last !== undefined && sameAccess(last, end);
  });
  return oneEnd ? first : [...active];
}

/** Puts each follower behind one that it equals, so that the ids, read in order, come out smallest. */
function withFollowers(
  order: readonly Observation[],
  followers: readonly Observation[],
  before: Observation | undefined,
): Observation[] {
  const out: Observation[] = [];
  const left = [...followers].sort(byEventId);
  const ahead = [...order];
  let last = before;
  for (;;) {
    const follower = left.find((o) => last !== undefined && sameAccess(o, last));
    const next = ahead[0];
    if (follower !== undefined) {
      const canWait = next !== undefined && ahead.some((o) => sameAccess(o, follower));
      if (!canWait || byEventId(follower, next) < 0) {
        out.push(...left.splice(left.indexOf(follower), 1));
        continue;
      }
    }
    if (next === undefined) return out;
    out.push(next);
    last = next;
    ahead.shift();
  }
}

/** Every order of `rest` in which each can follow the one before it, the first `prior`; ascending when `rest` is. */
function chains(rest: readonly Observation[], prior: Observation | undefined): Observation[][] {
  if (rest.length === 0) return [[]];
  return rest.flatMap((head, i) => {
    if (prior !== undefined && !canFollow(head, prior)) return [];
    const others = [...rest.slice(0, i), ...rest.slice(i + 1)];
    return chains(others, head).map((tail) => [head, ...tail]);
  });
}

/** The access-bearing fields of an observation by name, each as a comparable value. */
function accessFields(o: Observation) {
  return {
    status: o.data.status,
    items: pricesAndQuantities(o.data.items),
    cancelAt: o.data.cancelAt,
    cancelAtPeriodEnd: o.data.cancelAtPeriodEnd,
    pauseCollection: o.data.pauseCollection,
    trialEnd: o.data.trialEnd,
  };
}

type AccessField = keyof ReturnType<typeof accessFields>;
const FIELDS: readonly AccessField[] = [
  'status',
  'items',
  'cancelAt',
  'cancelAtPeriodEnd',
  'pauseCollection',
  'trialEnd',
];

function pricesAndQuantities(items: readonly SubscriptionItem[]): string[] {
  return items.map((item) => JSON.stringify([item.price, item.quantity])).sort();
}

export function sameAccess(a: Observation, b: Observation): boolean {
  return isDeepStrictEqual(accessFields(a), accessFields(b));
}

function canFollow(o: Observation, before: Observation): boolean {
  const now = accessFields(o);
  const then = accessFields(before);
  return FIELDS.every((field) => {
    const named = namedBefore(o, field);
    if (named !== undefined) return isDeepStrictEqual(named.value, then[field]);
    return mayChangeSilently(o, field) || isDeepStrictEqual(now[field], then[field]);
  });
}

/** The value `previous_attributes` gives for a field, wrapped, because `null` is a value. */
function namedBefore(o: Observation, field: AccessField): { readonly value: unknown } | undefined {
  const value = o.data.previous?.[field];
  if (value === undefined) return undefined;
  return { value: field === 'items' ? pricesAndQuantities(o.data.previous?.items ?? []) : value };
}

function mayChangeSilently(o: Observation, field: AccessField): boolean {
  if (o.data.previous !== null) return false;
  switch (o.stripeType) {
    case 'customer.subscription.paused':
    case 'customer.subscription.resumed':
      return field === 'status';
    case 'customer.subscription.pending_update_applied':
      return field === 'items';
    default:
      return false;
  }
}

const WITHIN_A_SECOND: readonly string[] = ['draft', 'open', 'uncollectible', 'void'];

/** The invoices of a subscription as last known: one fact per invoice id. */
export function currentInvoices(facts: readonly InvoiceObservation[]): InvoiceObservation[] {
  const ids = [...new Set(facts.map((fact) => fact.data.invoice))].sort();
  return ids.flatMap((id) => {
    const best = distinct(facts.filter((fact) => fact.data.invoice === id))
      .sort(byPrecedence)
      .at(-1);
    return best === undefined ? [] : [best];
  });
}

function byPrecedence(a: InvoiceObservation, b: InvoiceObservation): number {
  const paid = Number(a.data.status === 'paid') - Number(b.data.status === 'paid');
  if (paid !== 0) return paid;
  if (a.created !== b.created) return a.created - b.created;
  const delivered = Number(a.stripeType !== '') - Number(b.stripeType !== '');
  if (delivered !== 0) return delivered; // an answer of the API has no Stripe type
  const status = WITHIN_A_SECOND.indexOf(a.data.status) - WITHIN_A_SECOND.indexOf(b.data.status);
  return status !== 0 ? status : byEventId(a, b);
}
