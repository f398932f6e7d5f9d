import { z } from 'zod';
import type { Statements } from '../../database/in-transaction.js';
import { planCatalogSchema } from '../../events/catalog.events.js';
import type { EventEnvelope } from '../../events/event-envelope.js';
import { untilAborted } from '../../observability/in-time.js';
import type { Pseudonyms } from '../../pseudonyms/pseudonyms.js';
import type { StripeGateway } from '../../stripe/gateway/stripe.gateway.js';
import { type FindJobs, happenedAt, triggerOf } from '../event-trigger.js';
import { type DueWork, EVERYTHING, type NewWork, type Occurrence, type Reaction } from '../reaction.js';
import { customerOf, ownerOf, servedOf } from '../served-user.reader.js';
import type { UserChange } from '../user-changes.js';
import { dayOf, MAIL_KINDS, type MailFields, type MailKind, mailOf } from './mail-kinds.js';
import type { Mailer } from './mailer.js';
import { fillIn, type MailTemplates } from './templates.js';

/** What became of a mail: sent; or skipped, as there is no key of Stripe's, no customer or address, it is too late, or the user erased. */
export type MailOutcome = 'sent' | 'no_key' | 'no_customer' | 'no_address' | 'too_late' | 'erased';

/** What sends mails and where addresses are asked. */
export interface Mailing {
  readonly mailer: Mailer;
  readonly templates: MailTemplates;
}

export interface MailReactionOptions {
  /** `null`: no mails are sent. */
  readonly mailing: Mailing | null;
  /** `null`: there is no key, and mails are counted and skipped. */
  readonly gateway: Pick<StripeGateway, 'object'> | null;
  readonly findJobs: FindJobs;
  /** Tells user ids of what stands for them inside; `null` or left out: they are the same inside. */
  readonly pseudonyms?: Pick<Pseudonyms, 'userIdsOf'> | null;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly onOutcome: (kind: MailKind, outcome: MailOutcome) => void;
}

const payloadSchema = z.object({
  kind: z.enum(MAIL_KINDS),
  customer: z.string().nullable(),
  happenedAt: z.number(),
  fields: z.object({ plan: z.string(), before: z.string(), date: z.string(), userId: z.string() }),
});
type Payload = z.infer<typeof payloadSchema>;

/** What happened longer ago is nothing to write about. Milliseconds. */
const RECENT_MS = 24 * 3_600_000;
const [S, MIN, H] = [1_000, 60_000, 3_600_000];

/**
 * E-mails to users (DESIGN 14, `SMTP_URL`) about what happened within 24 h and was told by a delivery or a person. The address
 * is asked from Stripe's customer when the mail goes out; it is in no row and no log.
 */
export class MailReaction implements Reaction {
  readonly follows = EVERYTHING;
  readonly name = 'mail';
  readonly atOnce = 4;
  readonly retryAfterMs = [10 * S, MIN, 10 * MIN, H, 3 * H, 6 * H, 12 * H];

  constructor(private readonly options: MailReactionOptions) {}

  async isAsleep(): Promise<boolean> {
    return this.options.mailing === null;
  }

  async workFor(occurrences: readonly Occurrence[], database: Statements): Promise<readonly NewWork[]> {
    const recent = await this.#recent(occurrences, database);
    if (recent.length === 0) return [];
    const rankOf = await readRanks(database);
    const work: NewWork[] = [];
    for (const { occurrence, event } of recent) {
      const made =
        occurrence.kind === 'change'
          ? await mailOfChange(occurrence.change, event, rankOf, database)
          : await mailOfEvent(event, database);
      if (made !== null) work.push(made);
    }
    return work;
  }

  async heldGroups(): Promise<readonly string[]> {
    return [];
  }

  async perform({ id, payload }: DueWork, signal: AbortSignal): Promise<void> {
    const { gateway, mailing, now, onOutcome } = this.options;
    const { kind, customer, happenedAt: at, fields } = payloadSchema.parse(payload);
    if (mailing === null) throw new Error('SMTP_URL is not set any more');
    if (now() - at > RECENT_MS) return onOutcome(kind, 'too_late');
    if (gateway === null) return onOutcome(kind, 'no_key');
    if (customer === null) return onOutcome(kind, 'no_customer');
    const userId = await this.#ownIdOf(fields.userId);
    if (userId === null) return onOutcome(kind, 'erased');
    const answer = await untilAborted(signal, gateway.object({ kind: 'customer', id: customer }));
    if (answer.outcome === 'not_found') return onOutcome(kind, 'no_address');
    if (answer.outcome !== 'answered') throw new Error(`Stripe gave no answer: ${answer.outcome}`);
    const { email } = answer.object;
    if (typeof email !== 'string' || email === '') return onOutcome(kind, 'no_address');
    await mailing.mailer.send(id, email, fillIn(mailing.templates[kind], { ...fields, userId }), signal);
    onOutcome(kind, 'sent');
  }

  /** The user's own id; `null` of who is erased. */
  async #ownIdOf(stored: string): Promise<string | null> {
    const { pseudonyms = null } = this.options;
    return pseudonyms === null ? stored : ((await pseudonyms.userIdsOf([stored])).get(stored) ?? null);
  }

  /** What may be written about: it happened lately, and somebody told of it. */
  async #recent(
    occurrences: readonly Occurrence[],
    database: Statements,
  ): Promise<readonly { readonly occurrence: Occurrence; readonly event: EventEnvelope }[]> {
    const caused = occurrences.flatMap((occurrence) => {
      const event = eventOf(occurrence);
      return event === null || this.options.now() - happenedAt(event) > RECENT_MS
        ? []
        : [{ occurrence, event }];
    });
    const ids = caused.map(({ event }) => event.metadata.correlationId);
    const jobs = await this.options.findJobs(database, ids);
    return caused.filter(({ event }) => {
      const trigger = triggerOf(event, jobs);
      return trigger === 'person' || (trigger === 'stripe' && event.metadata.stripeEventId !== null);
    });
  }
}

function eventOf(occurrence: Occurrence): EventEnvelope | null {
  if (occurrence.kind === 'event') return occurrence.event;
  const { cause } = occurrence.change;
  return cause.kind === 'event' ? cause.event : null;
}

async function mailOfChange(
  { id, userId, before, after }: UserChange,
  event: EventEnvelope,
  rankOf: (plan: string) => number | null,
  database: Statements,
): Promise<NewWork | null> {
  const kind = mailOf(before, after, rankOf);
  if (kind === null) return null;
  const named = [after.source, before.source].flatMap((source) =>
    source !== null && 'customerId' in source ? [source.customerId] : [],
  );
  const customer = named.find((each) => each !== null) ?? (await customerOf(database, userId));
  const fields = { plan: after.plan, before: before.plan, date: dayOf(after.cancelAt), userId };
  return workOf(id, { kind, customer, happenedAt: happenedAt(event), fields });
}

/** Mail about an event, if there is one; of a failed payment one an invoice, however often it is tried. */
async function mailOfEvent(event: EventEnvelope, database: Statements): Promise<NewWork | null> {
  const about = aboutOf(event);
  if (about === null) return null;
  const { kind, customer, subscription, date } = about;
  const userId = await ownerOf(database, { subscription, customer });
  if (userId === null) return null;
  if (about.invoice !== null && !(await isFirstOf(database, about.invoice))) return null;
  const at = Date.parse(event.metadata.recordedAt);
  const plan = (await servedOf(database, userId, event.position, at))?.plan ?? '';
  const fields = { plan, before: plan, date, userId };
  const key = about.invoice ?? event.id;
  return workOf(key, {
    kind,
    customer: customer ?? (await customerOf(database, userId)),
    happenedAt: happenedAt(event),
    fields,
  });
}

interface About {
  readonly kind: MailKind;
  readonly customer: string | null;
  readonly subscription: string | null;
  readonly invoice: string | null;
  readonly date: string;
}

function aboutOf(event: EventEnvelope): About | null {
  switch (event.type) {
    case 'SubscriptionPaymentFailed': {
      const { customer, subscription, invoice } = event.data;
      return { kind: 'payment_failed', customer, subscription, invoice, date: '' };
    }
    case 'CustomerInvoicePaymentFailed': {
      const { customer, invoice } = event.data;
      return { kind: 'payment_failed', customer, subscription: null, invoice, date: '' };
    }
    case 'SubscriptionTrialEnding': {
      const { customer, subscription, trialEnd } = event.data;
      const date = trialEnd === null ? '' : dayOf(new Date(trialEnd * 1_000).toISOString());
      return { kind: 'trial_ending', customer, subscription, invoice: null, date };
    }
    default:
      return null;
  }
}

function workOf(key: string, payload: Payload & { readonly fields: MailFields }): NewWork {
  return { key: `${payload.kind} ${key}`, lane: payload.fields.userId, group: 'mail', payload };
}

async function isFirstOf(database: Statements, invoice: string): Promise<boolean> {
  const { rows } = await database.query(
    `insert into tenure.mailed_invoice (invoice) values ($1) on conflict do nothing returning invoice`,
    [invoice],
  );
  return rows.length === 1;
}

async function readRanks(database: Statements): Promise<(plan: string) => number | null> {
  const { rows } = await database.query(
    `select p.catalog from tenure.plan_catalog p join tenure.live_generation l using (generation)
     order by p.position desc limit 1`,
    [],
  );
  const [last] = z.array(z.object({ catalog: z.string() })).parse(rows);
  if (last === undefined) return () => null;
  const { plans } = planCatalogSchema.parse(JSON.parse(last.catalog));
  return (plan) => (Object.hasOwn(plans, plan) ? (plans[plan]?.rank ?? null) : null);
}
