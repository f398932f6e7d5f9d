import type { EventStore } from '../../../event-store/event-store.js';
import type { StripeObjectRef } from '../../gateway/object-kind.js';
import type { StripeGateway } from '../../gateway/stripe.gateway.js';
import type { ListedObject, PageAnswer } from '../../gateway/stripe-answers.js';
import { objectOf, pageOf } from '../../gateway/stripe-lists.js';
import { id, type JsonObject, object } from '../../translate/read-json.js';
import {
  AnswerAheadError,
  type AnswerReading,
  isAhead,
  type ReadAnswer,
  readAnswer,
  type UnusableObject,
} from '../answers.js';
import { type ImportItem, importItem } from './import-item.js';

export interface ImportPagesOptions extends AnswerReading {
  readonly gateway: Pick<StripeGateway, 'page' | 'object'>;
  readonly store: Pick<EventStore, 'readPage'>;
  readonly streamPrefix: string;
  /** Id of the import: part of the key of all that it records. */
  readonly job: string;
}

/** A page of a list as what will be recorded of it, and what cannot be. `looked`: so many subscriptions, or purchases. */
export interface ImportPage {
  readonly items: readonly ImportItem[];
  readonly unusable: readonly UnusableObject[];
  readonly looked: number;
  readonly last: string;
  readonly hasMore: boolean;
}

/** An object as a page shows it; `isCut` says that it must be fetched apart, for a list of it. */
export interface Shown {
  readonly about: StripeObjectRef;
  readonly shown: JsonObject;
  readonly isCut: boolean;
}

/** A list of Stripe's, and which of its objects are looked at, with what is to be recorded beside each. */
export interface ImportedList {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly isWanted: (listed: JsonObject) => boolean;
  readonly shownWith: (listed: JsonObject) => readonly Shown[];
}

/**
 * The page after one object of a list, the newest first. What Stripe cut is fetched whole. `null` where nothing comes after.
 * @throws StripeUnansweredError, AnswerAheadError
 */
export async function readListPage(
  options: ImportPagesOptions,
  { path, query, isWanted, shownWith }: ImportedList,
  after: string | null,
): Promise<ImportPage | null> {
  const page = await pageOf(options.gateway, path, {
    ...query,
    ...(after === null ? {} : { starting_after: after }),
  });
  const last = page.objects.at(-1)?.id;
  if (last === undefined) return null;
  if (isAhead(page.answeredAt)) throw new AnswerAheadError();
  const wanted: readonly ListedObject[] = page.objects.filter(isWanted);
  const items = new Map<string, ImportItem>();
  const unusable = new Map<string, UnusableObject>();
  for (const shown of wanted.flatMap(shownWith)) {
    const item = await itemOf(options, shown, page);
    if (item === null) continue;
    if ('why' in item) unusable.set(item.id, item);
    else items.set(item.causation, item);
  }
  return {
    items: [...items.values()],
    unusable: [...unusable.values()],
    looked: wanted.length,
    last,
    hasMore: page.hasMore,
  };
}

/** What is shown of an object, whole unless `isCut` says otherwise of it; nothing where only its id is shown. */
export function shownAs(
  kind: StripeObjectRef['kind'],
  value: unknown,
  isCut: (shown: JsonObject) => boolean,
): readonly Shown[] {
  const shown = object(value);
  const objectId = id(shown?.id);
  if (shown === null || objectId === null) return [];
  return [{ about: { kind, id: objectId }, shown, isCut: isCut(shown) }];
}

/** What is to be recorded of an object on a page; `null` for what Stripe no longer has, and for an invoice of no subscription. */
export async function itemOf(
  options: ImportPagesOptions,
  { about, shown, isCut }: Shown,
  { answeredAt, apiVersion }: PageAnswer,
): Promise<ImportItem | UnusableObject | null> {
  const answer = isCut
    ? await objectOf(options.gateway, about)
    : ({ outcome: 'answered', object: shown, answeredAt, apiVersion } as const);
  if (answer === null) return null;
  const read = readAnswer(about, options.job, answer, options);
  if (read.outcome === 'ignored') return null;
  return read.outcome === 'unusable' ? { ...about, why: read.why } : recordedAs(read);
}

/** What an answer will be recorded as. */
export function recordedAs({
  stream,
  event,
  causation,
  stripe: { created: answeredAt, apiVersion },
}: Extract<ReadAnswer, { outcome: 'recorded' }>): ImportItem {
  return importItem.parse({ ...stream, event, causation, answeredAt, apiVersion });
}
