import type { Pool } from 'pg';
import { z } from 'zod';
import type { Statements } from '../../database/in-transaction.js';
import type { EventStore } from '../../event-store/event-store.js';
import type { EventEnvelope } from '../../events/event-envelope.js';
import { comparePositions } from '../../events/stored-event.js';
import { type EventTrigger, type FindJobs, triggerOf } from '../event-trigger.js';
import { GatheredLook } from '../gathered-look.js';
import {
  type DueWork,
  EVERYTHING,
  HeldWorkError,
  LaterWorkError,
  type NewWork,
  type Occurrence,
  type Reaction,
} from '../reaction.js';
import { ownerOf, servedOf, servedOrDefaultOf } from '../served-user.reader.js';
import type { UserChange } from '../user-changes.js';
import { type Endpoint, wants } from './endpoint.js';
import { type EndpointRepository, listEndpoints, type SigningEndpoint } from './endpoint.repository.js';
import { type KeptMessage, keptMessage, keptMessageSchema, type Sending } from './envelope.js';
import { isAnyLower, type LimitNews, newsOfChange, newsOfReport } from './limits.js';
import { type Message, messageOfEvent, messagesOf } from './messages.js';
import { ReportedUsage, type UsageReport } from './reported-usage.js';
import { RefusedMessageError } from './send.js';
import type { MessageSender } from './sender.js';

/** Name of the reaction, of its checkpoint and of its work. */
export const WEBHOOKS = 'webhooks';

/** Pauses between tries (Standard Webhooks 1.0, "Retries and failures", begun sooner): three and a half days in all. */
const S = 1_000;
const H = 3_600 * S;
export const RETRY_AFTER_MS: readonly number[] = [
  S,
  5 * S,
  30 * S,
  300 * S,
  1_800 * S,
  2 * H,
  5 * H,
  10 * H,
  14 * H,
  20 * H,
  24 * H,
];

export interface WebhooksReactionOptions {
  readonly pool: Pool;
  readonly store: Pick<EventStore, 'readPage'>;
  readonly streamPrefix: string;
  readonly endpoints: EndpointRepository;
  readonly sender: MessageSender;
  readonly findJobs: FindJobs;
  /** The `source` of every CloudEvent. */
  readonly source: string;
  readonly retryAfterMs?: readonly number[];
  /** Hears of an endpoint that was paused as its receiver is gone. */
  readonly onGone: (endpoint: Endpoint, error: RefusedMessageError) => void;
}

/** RFC 9110, 15.5.11: what is there no more, and will not be again (Standard Webhooks 1.0: disable the endpoint). */
const GONE = 410;

const idRow = z.object({ id: z.string() });
const gapRow = z.object({ lane: z.string(), id: z.string() });

/** Messages to the endpoints that asked for them (DESIGN 10): to each in order for a user. */
export class WebhooksReaction implements Reaction {
  readonly name = WEBHOOKS;
  readonly follows = EVERYTHING;
  readonly atOnce = 16;
  readonly retryAfterMs: readonly number[];
  readonly #usage: ReportedUsage;
  readonly #gaps: GatheredLook<string>;

  constructor(private readonly options: WebhooksReactionOptions) {
    this.retryAfterMs = options.retryAfterMs ?? RETRY_AFTER_MS;
    this.#usage = new ReportedUsage(options);
    this.#gaps = new GatheredLook((lanes) => gapsIn(options.pool, lanes));
  }

  async isAsleep(database: Statements): Promise<boolean> {
    const { rows } = await database.query('select from tenure.webhook_endpoint limit 1', []);
    return rows.length === 0;
  }

  async workFor(occurrences: readonly Occurrence[], database: Statements): Promise<readonly NewWork[]> {
    const endpoints = await listEndpoints(database);
    const messages = await this.#messages(occurrences, endpoints, database);
    return messages.flatMap((message) => {
      const payload = keptMessage(message, this.options.source);
      return endpoints
        .filter((endpoint) => wants(endpoint, message))
        .map(({ id }) => ({
          key: `${id} ${message.id}`,
          lane: `${id} ${message.userId}`,
          group: id,
          payload,
        }));
    });
  }

  /** Endpoints that are paused, whose messages wait. */
  async heldGroups(database: Statements): Promise<readonly string[]> {
    const { rows } = await database.query(
      `select id from tenure.webhook_endpoint where state = 'paused'`,
      [],
    );
    return z
      .array(idRow)
      .parse(rows)
      .map(({ id }) => id);
  }

  async perform(work: DueWork, signal: AbortSignal): Promise<void> {
    const { pool, endpoints } = this.options;
    const [endpoint, gapAfter] = await Promise.all([
      endpoints.findSigning(work.group),
      this.#gaps.ask(work.lane),
    ]);
    if (endpoint === null) return; // it was removed, and with it what waited
    if (endpoint.state === 'paused') throw new HeldWorkError();
    const { replayed } = work;
    await this.#send(endpoint, keptMessageSchema.parse(work.payload), { gapAfter, replayed }, signal);
    if (gapAfter !== null) await gapWasTold(pool, work);
  }

  /** A receiver that is gone for good is paused, and is asked no more until somebody goes on with it. */
  async #send(
    endpoint: SigningEndpoint,
    message: KeptMessage,
    sending: Sending,
    signal: AbortSignal,
  ): Promise<void> {
    const { endpoints, sender, onGone } = this.options;
    if (await sender.isAboutErased(message)) return;
    try {
      await sender.send(endpoint, message, sending, signal);
    } catch (error) {
      if (!(error instanceof RefusedMessageError)) throw error;
      if (error.status === GONE && (await endpoints.pauseAt(endpoint))) onGone(endpoint, error);
      if (error.retryAfterMs === null) throw error;
      throw new LaterWorkError(error.message, error.retryAfterMs, { cause: error });
    }
  }

  async #messages(
    occurrences: readonly Occurrence[],
    endpoints: readonly Endpoint[],
    database: Statements,
  ): Promise<readonly Message[]> {
    const hearsOfLimits = endpoints.some(asksForLimits);
    const jobs = await this.options.findJobs(database, occurrences.flatMap(correlationsOf));
    const triggerIn = (event: EventEnvelope): EventTrigger => triggerOf(event, jobs);
    const messages: Message[] = [];
    for (const occurrence of occurrences) {
      if (occurrence.kind === 'change') {
        const exceeded = hearsOfLimits ? await this.#exceededBy(occurrence.change) : [];
        messages.push(...messagesOf(occurrence.change, exceeded, triggerIn));
      } else if (occurrence.event.type === 'UsageReported') {
        if (hearsOfLimits) messages.push(...(await this.#reported(occurrence.event, database, triggerIn)));
      } else messages.push(...(await trialEnding(occurrence.event, database, triggerIn)));
    }
    return messages;
  }

  /** The limits that a change leaves exceeded by what was reported before it. */
  async #exceededBy({ userId, at, cause, before, after }: UserChange): Promise<readonly LimitNews[]> {
    if (!isAnyLower(before.limits, after.limits)) return [];
    const usage = await this.#usage.upTo(userId, ({ position, metadata: { recordedAt } }) =>
      cause.kind === 'time' ? Date.parse(recordedAt) < at : comparePositions(position, cause.position) < 0,
    );
    return newsOfChange(before.limits, after.limits, usage);
  }

  /** A report changes nothing that is served: the message tells what holds. */
  async #reported(
    event: UsageReport,
    database: Statements,
    triggerOf: (event: EventEnvelope) => EventTrigger,
  ): Promise<readonly Message[]> {
    const { userId, limit } = event.data;
    const at = Date.parse(event.metadata.recordedAt);
    const snapshot = await servedOrDefaultOf(database, userId, event.position, at);
    if (snapshot === null) return [];
    const before = new Map(Object.entries(await this.#usage.before(event))).get(limit) ?? 0;
    const news = newsOfReport(snapshot.limits, event.data, before);
    return news === null ? [] : [messageOfEvent(news, event, snapshot, triggerOf(event))];
  }
}

function asksForLimits({ types }: Endpoint): boolean {
  return types === null || types.includes('limit.reached') || types.includes('limit.exceeded');
}

function correlationsOf(occurrence: Occurrence): readonly string[] {
  if (occurrence.kind === 'event') return [occurrence.event.metadata.correlationId];
  const { cause } = occurrence.change;
  return cause.kind === 'event' && cause.event !== null ? [cause.event.metadata.correlationId] : [];
}

/** A trial that ends changes nothing yet: the message tells what holds. */
async function trialEnding(
  event: EventEnvelope,
  database: Statements,
  triggerOf: (event: EventEnvelope) => EventTrigger,
): Promise<readonly Message[]> {
  if (event.type !== 'SubscriptionTrialEnding') return [];
  const { subscription, customer } = event.data;
  const userId = await ownerOf(database, { subscription, customer });
  if (userId === null) return [];
  const at = Date.parse(event.metadata.recordedAt);
  const snapshot = await servedOf(database, userId, event.position, at);
  return snapshot === null
    ? []
    : [messageOfEvent({ type: 'trial.ending', limit: null }, event, snapshot, triggerOf(event))];
}

/**
 * Of each lane, an endpoint and a user, the last message that was given up and that none has told of. It is before whatever is
 * sent now: a lane is done in order, and what is replayed comes last.
 */
async function gapsIn(database: Statements, lanes: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const { rows } = await database.query(
    `select distinct on (lane) lane, payload::json ->> 'id' as id from tenure.reaction_work
     where reaction = $1 and lane = any ($2) and state = 'dead' and not gap_told order by lane, seq desc`,
    [WEBHOOKS, lanes],
  );
  return new Map(
    z
      .array(gapRow)
      .parse(rows)
      .map(({ lane, id }) => [lane, id]),
  );
}

async function gapWasTold(pool: Pool, { lane, seq }: DueWork): Promise<void> {
  await pool.query(
    `update tenure.reaction_work set gap_told = true
     where reaction = $1 and lane = $2 and state = 'dead' and seq < $3`,
    [WEBHOOKS, lane, seq],
  );
}
