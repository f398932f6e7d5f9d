import type { SubscriptionAccess } from '../subscription-access.js';
import type { SubscriptionState } from '../subscription-state.js';
import { GIVEN_BY } from '../subscription-statuses.js';
import { rfc3339, rfc3339OrNull } from '../time.js';
import { lineEvidence, periodEvidence, settlementEvidence, waitingEvidence } from './period-evidence.js';
import { type Evidence, eventsOf, type Facts, timeOf } from './reason.js';
import { returnedEvidence, takenBackFacts } from './returned-evidence.js';

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
    credits:
      GIVEN_BY[access.statusRule] === 'paidOnly' || state.lost.plan !== null
        ? creditEvidence(state, now)
        : null,
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
  const { settled, first, ofFirst } = gate;
  if (settled !== null) return settlementEvidence(settled, ofFirst, book);
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

function graceEvidence({ grace }: SubscriptionState): Evidence | null {
  if (grace === null) return null;
  const { rule, days, end, first, last, failure, invoice, sight } = grace;
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
    },
    events: eventsOf(first, last, failure, invoice?.told, sight),
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

/** What was given up unpaid, or what paid for the plan again after that. */
function writtenOffEvidence({ lost: { plan, addons, regained }, book }: SubscriptionState): Evidence | null {
  const lost = [plan, ...addons.values()].find((each) => each !== null && each.returned === null) ?? null;
  if (lost === null && regained.length === 0) return null;
  const shown = (lost?.invoice.data.lines ?? []).flatMap(({ price }) =>
    price === null ? [] : (book.readingOf(price)?.shown ?? []),
  );
  const again = regained.map((line) => lineEvidence(line, book));
  return {
    facts: {
      invoice: lost?.invoice.data.invoice ?? null,
      on: lost === null ? null : rfc3339(lost.invoice.data.created),
      toldAt: timeOf(lost?.invoice.told),
      collectionSeenAt: timeOf(lost?.seen),
      pricedAt: shown.map(timeOf),
      regained: again.map(({ facts }) => facts),
    },
    events: [...eventsOf(lost?.invoice.told, lost?.seen, ...shown), ...again.flatMap(({ events }) => events)],
  };
}

/** What was given up unpaid while collection was paused, so that nothing is lost by it. */
function sparedEvidence({ lost: { spared } }: SubscriptionState): Evidence | null {
  if (spared.length === 0) return null;
  return {
    facts: {
      invoices: spared.map(({ invoice }) => invoice.data.invoice),
      pausedAt: spared.map(({ seen }) => timeOf(seen)),
    },
    events: spared.flatMap(({ invoice, seen }) => eventsOf(invoice.told, seen)),
  };
}

/** What a rule that took back what is lost says; what it decided by stands with all that went back. */
function takenBackEvidence({ lost: { plan, addons } }: SubscriptionState): Evidence | null {
  const returned = [plan, ...addons.values()].map((each) => each?.returned).find((each) => each != null);
  return returned == null
    ? null
    : { facts: takenBackFacts(returned), events: eventsOf(returned.invoice.told) };
}

/** Invoices that took back what lines of a plan paid for, which would cover now: of each price the newest. */
function creditEvidence({ payments, book, standstill }: SubscriptionState, now: number): Evidence | null {
  const instant = standstill ?? now;
  const covering = payments.lines.filter(
    (line) =>
      line.start <= instant && instant < line.end && payments.isCredited(line) && book.planOf(line.price),
  );
  const credits = [...new Set(covering.map(({ price }) => price))].flatMap((price) => {
    const invoice = payments.creditOf(price);
    return invoice === null ? [] : [{ price, invoice }];
  });
  if (credits.length === 0) return null;
  return {
    facts: Object.fromEntries(
      credits.map(({ price, invoice }) => [
        price,
        { invoice: invoice.data.invoice, toldAt: timeOf(invoice.told) },
      ]),
    ),
    events: eventsOf(...credits.map(({ invoice }) => invoice.told)),
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
