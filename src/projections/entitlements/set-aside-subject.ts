import { z } from 'zod';
import type { EventEnvelope } from '../../events/event-envelope.js';
import { isUserId } from '../../events/user-id.js';
import { UnreadableEvent } from '../engine/unreadable-event.js';
import type { FactsLoader } from './facts-loader.js';
import { loadPayment, ownedByPayment } from './payment-joins.js';
import type { WorkingSet } from './working-set.js';

/** The subject of a stream, as far as its events name it: its users follow from it. */
export const subjectSchema = z.strictObject({
  subscription: z.string().nullable(),
  customer: z.string().nullable(),
  session: z.string().nullable(),
  // Rows that earlier code wrote are without one.
  payment: z.string().nullable().default(null),
});
export type Subject = z.infer<typeof subjectSchema>;

/** The subject of an event, read from its data by name: it may be one that this code cannot read otherwise. */
export function subjectOf(event: EventEnvelope | UnreadableEvent): Subject {
  const data = dataOf(event);
  const id = (name: string): string | null => {
    const value = data[name];
    return typeof value === 'string' && value !== '' && !value.includes('\0') ? value : null;
  };
  return {
    subscription: id('subscription'),
    customer: id('customer'),
    session: id('session'),
    payment: id('payment'),
  };
}

/** Users whom an event names. */
export function claimsOf(event: EventEnvelope | UnreadableEvent): readonly string[] {
  const { userId, metadataUserId, clientReferenceId } = dataOf(event);
  return sorted([userId, metadataUserId, clientReferenceId].filter(isUserId).slice(0, 1));
}

function dataOf(event: EventEnvelope | UnreadableEvent): Readonly<Record<string, unknown>> {
  if (!(event instanceof UnreadableEvent)) return { ...event.data };
  try {
    return z.record(z.string(), z.unknown()).catch({}).parse(JSON.parse(event.stored.data));
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

/** Whether all that decides on the users of a subject is in memory. */
export function isInMemory(
  { subscription, customer, session, payment }: Subject,
  workingSet: WorkingSet,
): boolean {
  return (
    (session === null || workingSet.checkouts.has(session)) &&
    (subscription === null || workingSet.subscriptions.has(subscription)) &&
    (customer === null || workingSet.wholeCustomers.has(customer)) &&
    (payment === null || ownedByPayment(payment, workingSet) !== null)
  );
}

/** Loads what decides on the users of a subject. */
export async function loadSubject(
  { subscription, customer, session, payment }: Subject,
  loader: FactsLoader,
  workingSet: WorkingSet,
): Promise<void> {
  if (session !== null) await loader.checkouts([session]);
  if (subscription !== null) await loader.subscriptions([subscription]);
  if (customer !== null) await loader.customers([customer]);
  if (payment !== null) await loadPayment(payment, loader, workingSet);
}

/** Users of a subject: its owner; where nobody owns it yet those of its customer; and the users whom events name. */
export function usersOfSubject(
  subject: Subject,
  claims: readonly string[],
  workingSet: WorkingSet,
): readonly string[] {
  const users = new Set(claims);
  const owner = workingSet.subscriptions.get(subject.subscription ?? '')?.owner ?? null;
  if (owner !== null) users.add(owner);
  else if (subject.customer !== null) {
    const ofCustomer = workingSet.customers.get(subject.customer)?.word.owner ?? null;
    if (ofCustomer !== null) users.add(ofCustomer);
    if (subject.subscription === null) {
      for (const each of workingSet.subscriptionsOfCustomer(subject.customer)) {
        if (each.owner !== null) users.add(each.owner);
      }
    }
  }
  const buyer = workingSet.checkouts.get(subject.session ?? '')?.owner ?? null;
  if (buyer !== null) users.add(buyer);
  for (const each of subject.customer === null ? [] : workingSet.checkoutsOfCustomer(subject.customer)) {
    if (each.owner !== null) users.add(each.owner);
  }
  for (const each of subject.payment === null ? [] : (ownedByPayment(subject.payment, workingSet) ?? [])) {
    if (each.owner !== null) users.add(each.owner);
  }
  return sorted(users);
}

/** Texts without repeats, in the order of their code units. */
export function sorted(texts: Iterable<string>): readonly string[] {
  return [...new Set(texts)].sort();
}
