import { lossRuleIn } from '../status-rules.js';
import type { SubscriptionAccess } from '../subscription-access.js';
import type { SubscriptionState } from '../subscription-state.js';
import { GIVEN_BY } from '../subscription-statuses.js';
import { rfc3339, rfc3339OrNull } from '../time.js';
import { creditEvidence, sparedEvidence, takenBackEvidence, writtenOffEvidence } from './lost-evidence.js';
import {
  lineEvidence,
  paidByEvidence,
  periodEvidence,
  settlementEvidence,
  unpaidEvidence,
  waitingEvidence,
} from './period-evidence.js';
import { type Evidence, eventsOf, type Facts, timeOf } from './reason.js';
import { returnedEvidence } from './returned-evidence.js';

/**
 * What decided what a subscription gives: its status, the plan period that is followed and those that wait, grace, what was
 * written off or went back, and what was paid. `now` is Unix seconds, `deletedBy` the event that told of the end of each customer.
 */
export function subscriptionEvidence(
  access: SubscriptionAccess,
  now: number,
  deletedBy: ReadonlyMap<string, string>,
): Evidence {
  const { subscriptionState: state, plan, units, line } = access;
  const { subscription, customer, status, statusFrom, newest } = state;
  const isPaidOnly = GIVEN_BY[access.statusRule] === 'paidOnly';
  const parts: Readonly<Record<string, Evidence | null>> = {
    period: followedEvidence(state),
    waits: waitEvidence(state),
    grace: graceEvidence(state),
    trial: status === 'trialing' ? trialEvidence(state) : null,
    cancel: cancelEvidence(state),
    writtenOff: writtenOffEvidence(state),
    spared: sparedEvidence(state),
    takenBack: takenBackEvidence(state),
    returned: returnedEvidence(state.returned),
    paid: line === null ? settledLineEvidence(state) : lineEvidence(line, state.book),
    credits: isPaidOnly || state.lost.plan !== null ? creditEvidence(state, now) : null,
    unpaid: isPaidOnly || lossRuleIn(state.lost) !== null ? unpaidEvidence(state.payments) : null,
  };
  const deletion = statusFrom === null && customer !== null ? deletedBy.get(customer) : undefined;
  const known: Facts = {
    subscription,
    customer,
    status,
    statusSeenAt: timeOf(statusFrom),
    seenAt: timeOf(newest),
    firstSeenAt: timeOf(state.gate.known),
    itemsSeenAt: timeOf(state.itemsFrom),
    plan: plan?.name ?? null,
    units,
    collectionPaused: newest.data.pauseCollection !== null,
    testClock: newest.data.testClock !== null,
    unmapped: state.unmappedPrices.length === 0 ? null : state.unmappedPrices,
    addons: addonsOf(access),
  };
  const told = Object.entries(parts).flatMap(([name, part]) =>
    part === null ? [] : [[name, part] as const],
  );
  return {
    facts: { ...known, ...Object.fromEntries(told.map(([name, { facts }]) => [name, facts])) },
    events: [
      ...eventsOf(statusFrom, newest, state.gate.known, state.itemsFrom),
      ...(deletion === undefined ? [] : [deletion]),
      ...told.flatMap(([, { events }]) => events),
    ],
  };
}

/** What decided that a subscription gives what it gives: its status, items and plan period, and what was paid. */
export function givenEvidence({ subscriptionState: state, units, line }: SubscriptionAccess): Evidence {
  const period = followedEvidence(state);
  const paid = line === null ? settledLineEvidence(state) : lineEvidence(line, state.book);
  const spared = sparedEvidence(state);
  return {
    facts: {
      subscription: state.subscription,
      status: state.status,
      statusSeenAt: timeOf(state.statusFrom),
      itemsSeenAt: timeOf(state.itemsFrom),
      units,
      period: period?.facts ?? null,
      paid: paid?.facts ?? null,
      ...(spared === null ? {} : { spared: spared.facts }),
    },
    events: [
      ...eventsOf(state.statusFrom, state.itemsFrom),
      ...(spared?.events ?? []),
      ...(period?.events ?? []),
      ...(paid?.events ?? []),
    ],
  };
}

function followedEvidence({ gate, status, book }: SubscriptionState): Evidence | null {
  const { settled, first, ofFirst, endOfFirst } = gate;
  if (settled !== null) {
    const own = settlementEvidence(settled, ofFirst, book);
    if (endOfFirst === null) return own;
    const ending = periodEvidence(endOfFirst, book);
    return {
      facts: { ...own.facts, firstEndedBy: ending.facts },
      events: [...own.events, ...ending.events],
    };
  }
  return status === 'trialing' && first !== null ? periodEvidence(first, book) : null;
}

function settledLineEvidence({ gate: { settled }, book }: SubscriptionState): Evidence | null {
  return settled === null || settled.line === null ? null : lineEvidence(settled.line, book);
}

/** What waits to be paid for after what is settled, and what keeps it waiting. */
function waitEvidence({ gate, awaited, book, payments }: SubscriptionState): Evidence | null {
  const { unpaid } = gate;
  if (gate.waiting.length === 0 && awaited === null && !gate.firstWaits) return null;
  // While the first one waits, later ones are settled by a payment only.
  const held = gate.firstWaits && gate.first !== null ? [gate.first, ...gate.waiting] : gate.waiting;
  const periods = [...new Set(held)].map((period) => waitingEvidence(period, book, payments));
  const { invoicedUpgrade } = gate;
  return {
    facts: {
      ...(awaited === null
        ? {}
        : {
            plan: awaited.plan.name,
            price: awaited.price,
            by: awaited.by,
            since: timeOf(awaited.since),
            reason: awaited.reason,
            toldAt: timeOf(awaited.told),
            invoice: awaited.invoice?.data.invoice ?? null,
            invoicedOn: awaited.invoice === null ? null : rfc3339(awaited.invoice.data.created),
            invoiceToldAt: timeOf(awaited.invoice?.told),
          }),
      periods: periods.map(({ facts }) => facts),
      session: unpaid?.data.session ?? null,
      sessionAt: timeOf(unpaid),
      invoiced: invoicedUpgrade?.data.invoice ?? null,
      invoicedAt: timeOf(invoicedUpgrade?.told),
    },
    events: [
      ...eventsOf(awaited?.since, awaited?.told, awaited?.invoice?.told, invoicedUpgrade?.told, unpaid),
      ...periods.flatMap(({ events }) => events),
    ],
  };
}

function graceEvidence({ grace, payments, book }: SubscriptionState): Evidence | null {
  if (grace === null) return null;
  const { rule, days, end, first, last, failure, invoice, paid, sight } = grace;
  const by = paid === null ? unpaidEvidence(payments) : paidByEvidence(paid, book);
  return {
    facts: {
      rule,
      days,
      since: timeOf(failure ?? first),
      until: rfc3339(end),
      firstSeen: timeOf(first),
      lastOtherSeen: timeOf(last),
      failedInvoice: failure?.data.invoice ?? null,
      invoice: invoice?.data.invoice ?? null,
      invoiceToldAt: timeOf(invoice?.told),
      sightAt: timeOf(sight),
      [paid === null ? 'unpaid' : 'paid']: by.facts,
    },
    events: [...eventsOf(first, last, failure, invoice?.told, sight), ...by.events],
  };
}

function trialEvidence({ newest, trialEnd }: SubscriptionState): Evidence {
  return {
    facts: { end: rfc3339OrNull(newest.data.trialEnd), until: rfc3339OrNull(trialEnd) },
    events: eventsOf(newest),
  };
}

function cancelEvidence({ cancelAt, cancelRule, newest, itemsFrom }: SubscriptionState): Evidence | null {
  if (cancelAt === null || cancelRule === null) return null;
  return {
    facts: { at: rfc3339(cancelAt), by: cancelRule },
    events: eventsOf(newest, cancelRule === 'cancel_at_period_end' ? itemsFrom : null),
  };
}

/** Add-ons on the subscription: how many units are held of each, and how many count. */
function addonsOf({ subscriptionState, addons }: SubscriptionAccess): readonly Facts[] {
  return subscriptionState.addons.map(({ name, price, units }) => ({
    addon: name,
    price,
    held: units,
    counts: addons.find((counted) => counted.price === price)?.units ?? 0,
  }));
}
