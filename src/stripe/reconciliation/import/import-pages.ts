import type { StripeObjectRef } from '../../gateway/object-kind.js';
import type { ObjectAnswer, PageAnswer, StripeGateway } from '../../gateway/stripe.gateway.js';
import { pageOf, StripeUnansweredError } from '../../gateway/stripe-lists.js';
import { field, id, type JsonObject, object } from '../../translate/read-json.js';
import {
  AnswerAheadError,
  type AnswerReading,
  isAhead,
  readAnswer,
  type UnusableObject,
} from '../answers.js';
import { type ImportItem, importItem } from './import-item.js';

export interface ImportPagesOptions extends AnswerReading {
  readonly gateway: Pick<StripeGateway, 'page' | 'object'>;
  /** Id of the import: part of the key of all that it records. */
  readonly job: string;
}

/** A page of subscriptions as what will be recorded of it, and what cannot be. */
export interface ImportPage {
  readonly items: readonly ImportItem[];
  readonly unusable: readonly UnusableObject[];
  readonly subscriptions: number;
  readonly last: string;
  readonly hasMore: boolean;
}

const PATH = '/v1/subscriptions';
/** Subscriptions in every status, with what would else be one more question each (Stripe: "Expanding responses"). */
const QUERY = { status: 'all', 'expand[0]': 'data.customer', 'expand[1]': 'data.latest_invoice' };
const ENDED: ReadonlySet<unknown> = new Set(['canceled', 'incomplete_expired']);

/**
 * The page of subscriptions after one of them, the newest first: each with its customer and, while it has not ended, its
 * latest invoice. Lists that Stripe cut are fetched whole. `null` where nothing comes after.
 * @throws StripeUnansweredError, AnswerAheadError
 */
export async function readPage(
  options: ImportPagesOptions,
  after: string | null,
): Promise<ImportPage | null> {
  const page = await pageOf(options.gateway, PATH, {
    ...QUERY,
    ...(after === null ? {} : { starting_after: after }),
  });
  const last = page.objects.at(-1)?.id;
  if (last === undefined) return null;
  if (isAhead(page.answeredAt)) throw new AnswerAheadError();
  const items = new Map<string, ImportItem>();
  const unusable = new Map<string, UnusableObject>();
  for (const subscription of page.objects) {
    for (const shown of shownWith(subscription)) {
      const item = await itemOf(options, shown, page);
      if (item === null) continue;
      if ('why' in item) unusable.set(item.id, item);
      else items.set(item.causation, item);
    }
  }
  return {
    items: [...items.values()],
    unusable: [...unusable.values()],
    subscriptions: page.objects.length,
    last,
    hasMore: page.hasMore,
  };
}

/** An object as a page shows it; `isCut` says that a list of it must be fetched apart. */
interface Shown {
  readonly about: StripeObjectRef;
  readonly shown: JsonObject;
  readonly isCut: boolean;
}

/** A subscription with the objects that are to be recorded beside it. */
function shownWith(subscription: JsonObject): readonly Shown[] {
  const invoice = object(subscription.latest_invoice);
  // A draft asks for nothing, and its lines may still change; of what has ended nothing is judged by an invoice.
  const isJudged = !ENDED.has(subscription.status) && invoice?.status !== 'draft';
  return [
    ...shownAs('customer', subscription.customer, null),
    ...shownAs('subscription', subscription, 'items'),
    ...(isJudged ? shownAs('invoice', invoice, 'lines') : []),
  ];
}

function shownAs(kind: StripeObjectRef['kind'], value: unknown, list: string | null): readonly Shown[] {
  const shown = object(value);
  const objectId = id(shown?.id);
  if (shown === null || objectId === null) return [];
  const isCut = list !== null && field(shown, list, 'has_more') === true;
  return [{ about: { kind, id: objectId }, shown, isCut }];
}

/** `null` for what Stripe no longer has, and for an invoice of no subscription. */
async function itemOf(
  options: ImportPagesOptions,
  { about, shown, isCut }: Shown,
  { answeredAt, apiVersion }: PageAnswer,
): Promise<ImportItem | UnusableObject | null> {
  const answer = isCut
    ? await wholeOf(options.gateway, about)
    : ({ outcome: 'answered', object: shown, answeredAt, apiVersion } as const);
  if (answer === null) return null;
  const read = readAnswer(about, options.job, answer, options);
  if (read.outcome === 'ignored') return null;
  if (read.outcome === 'unusable') return { ...about, why: read.why };
  const { stream, event, causation } = read;
  return importItem.parse({
    ...stream,
    event,
    causation,
    answeredAt: answer.answeredAt,
    apiVersion: answer.apiVersion,
  });
}

/** An object with all its items or lines; `null` where Stripe no longer has it. @throws StripeUnansweredError */
async function wholeOf(
  gateway: Pick<StripeGateway, 'object'>,
  about: StripeObjectRef,
): Promise<ObjectAnswer | null> {
  const answer = await gateway.object(about);
  if (answer.outcome === 'answered') return answer;
  if (answer.outcome === 'not_found') return null;
  throw new StripeUnansweredError(`${about.kind} ${about.id}`, answer);
}
