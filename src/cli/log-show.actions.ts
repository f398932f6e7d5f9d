import { z } from 'zod';
import type { EventStore } from '../event-store/event-store.js';
import { comparePositions, type StoredEvent } from '../events/stored-event.js';
import { UserFactsReader } from '../projections/read-models/user-facts.reader.js';
import type { JsonOption } from './arguments.js';
import { json, type Terminal, table } from './terminal.js';
import { withLog } from './with-log.js';

export interface ShowLogOptions extends JsonOption {
  readonly user: string;
  readonly limit: number;
}

/** What is shown of an event's metadata, of whatever schema version. */
const shownOf = z.looseObject({
  recordedAt: z.string(),
  stripeEventId: z.string().nullable(),
  stripeEventType: z.string().nullable(),
  stripeCreated: z.number().nullable(),
});

/** `tenure log show`. */
export function showLog(terminal: Terminal, { user, limit, ...options }: ShowLogOptions): Promise<void> {
  return withLog(terminal, 'read', async ({ settings, store, pool }) => {
    const streams = await new UserFactsReader(pool).streams(user, settings.streamPrefix);
    const all = await eventsOfStreams(store, streams);
    const shown = all.slice(-limit).map(lineOf);
    if (options.json) for (const line of shown) terminal.out(json(line));
    else terminal.out(`${tableOf(shown)}\n`);
    if (all.length > limit)
      terminal.err(`tenure: ${all.length - limit} earlier ones; --limit says how many\n`);
  });
}

/** Events of some streams in the order of the log. */
async function eventsOfStreams(
  store: EventStore,
  streams: readonly string[],
): Promise<readonly StoredEvent[]> {
  const events: StoredEvent[] = [];
  for (const stream of streams) events.push(...(await store.read(stream, 0)));
  return events.sort((a, b) => comparePositions(a.position, b.position));
}

function lineOf({ position, stream, revision, type, data, metadata }: StoredEvent) {
  const { recordedAt, stripeEventId, stripeEventType, stripeCreated } = shownOf.parse(JSON.parse(metadata));
  const created = stripeCreated === null ? null : new Date(stripeCreated * 1_000).toISOString();
  return {
    position,
    recordedAt,
    type,
    stripeEventId,
    stripeEventType,
    stripeCreated: created,
    stream,
    revision,
    data: JSON.parse(data),
  };
}

function tableOf(lines: readonly ReturnType<typeof lineOf>[]): string {
  return table(
    ['POSITION', 'RECORDED', 'TYPE', 'STRIPE EVENT', 'CREATED', 'STREAM'],
    lines.map(({ position, recordedAt, type, stripeEventId, stripeCreated, stream }) => [
      position,
      recordedAt,
      type,
      stripeEventId ?? '-',
      stripeCreated ?? '-',
      stream,
    ]),
  );
}
