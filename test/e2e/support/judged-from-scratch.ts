import type { PlanCatalog } from '../../../src/events/catalog.events.js';
import { type EventEnvelope } from '../../../src/events/event-envelope.js';
import type { Entitlement } from '../../../src/policy/entitlement.js';
import type { InvoiceObservation, Observation } from '../../../src/policy/facts.js';
import { NO_CUSTOMER, subscriptionOwner } from '../../../src/policy/ownership.js';
import {
  factOriginOf,
  invoiceText,
  observationText,
} from '../../../src/projections/entitlements/fact-rows.js';
import { RUNNING_RULES as LATER_RULES } from '../../support/other-rules/folding-rules.js';

interface Facts {
  readonly subscription: string;
  readonly observations: Observation[];
  readonly invoices: InvoiceObservation[];
  readonly checkouts: [];
  readonly payments: [];
  readonly customerDeleted: false;
}

/**
 * What every user of a log may do now by the later policy: all facts put together, then judged once. For logs of
 * subscriptions that name their users themselves, and nothing else.
 */
export function judgedFromScratch(log: readonly EventEnvelope[]): ReadonlyMap<string, Entitlement> {
  const all = new Map<string, Facts>();
  let catalog: PlanCatalog | null = null;
  for (const event of log) {
    if (event.type === 'PlanCatalogPublished') {
      catalog = event.data.catalog;
      continue;
    }
    if (!('subscription' in event.data)) throw new Error(`not of a subscription: ${event.type}`);
    const subscription = event.data.subscription ?? '';
    const facts: Facts = all.get(subscription) ?? {
      subscription,
      observations: [],
      invoices: [],
      checkouts: [],
      payments: [],
      customerDeleted: false,
    };
    all.set(subscription, facts);
    const { type, data } = event;
    const fact = { ...factOriginOf(event), type, data };
    if ('invoice' in data) facts.invoices.push(invoiceText.parse(fact));
    else facts.observations.push(observationText.parse(fact));
  }
  if (catalog === null) throw new Error('a log without a catalogue');
  const judged = new Map<string, Entitlement>();
  for (const facts of all.values()) {
    const owner = subscriptionOwner({ link: null, ...facts }, NO_CUSTOMER);
    if (owner === null) throw new Error(`nobody owns ${facts.subscription}`);
    judged.set(owner, LATER_RULES.judge({ subscriptions: [facts] }, catalog, Date.now()).entitlement);
  }
  return judged;
}
