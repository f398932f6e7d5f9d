import type { SubscriptionState } from '../subscription-state.js';
import { rfc3339 } from '../time.js';
import { lineEvidence } from './period-evidence.js';
import { type Evidence, eventsOf, timeOf } from './reason.js';
import { takenBackFacts } from './returned-evidence.js';

/** What was given up unpaid, or what paid for the plan again after that. */
export function writtenOffEvidence({
  lost: { plan, addons, regained },
  book,
}: SubscriptionState): Evidence | null {
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
export function sparedEvidence({ lost: { spared } }: SubscriptionState): Evidence | null {
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
export function takenBackEvidence({ lost: { plan, addons } }: SubscriptionState): Evidence | null {
  const returned = [plan, ...addons.values()].map((each) => each?.returned).find((each) => each != null);
  return returned == null
    ? null
    : { facts: takenBackFacts(returned), events: eventsOf(returned.invoice.told) };
}

/** Invoices that took back what lines of a plan paid for, which would cover now: of each price the newest. */
export function creditEvidence(
  { payments, book, standstill }: SubscriptionState,
  now: number,
): Evidence | null {
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
