import { setImmediate as nextTurn } from 'node:timers/promises';
import { comparePositions, type Position, type StoredEvent } from '../../events/stored-event.js';
import { isAsked, type LogFilter } from './log-filter.js';
import type { EventPages } from './log-source.js';

/** Characters of lines that are given together. */
const TOGETHER = 65_536;

/** The last line of a reading: behind which event to go on, and whether all that was asked for was read. */
export interface LogCursor {
  readonly cursor: Position | null;
  readonly complete: boolean;
}

/**
 * The lines of those events that are asked for, several at once where they are short; the last one is a `LogCursor`.
 * @param cursor the event behind which the reading begins
 * @param isStopping whether to end early, with the cursor that another reading goes on from
 */
export async function* logLines(
  pages: EventPages,
  filter: LogFilter,
  cursor: Position | null,
  isStopping: () => boolean,
): AsyncGenerator<string, void> {
  let reached = cursor;
  const isPast = ({ position }: StoredEvent): boolean =>
    filter.to !== null && comparePositions(position, filter.to) > 0;
  for await (const events of pages) {
    let lines = '';
    for (const event of events) {
      if (isPast(event)) break;
      reached = event.position;
      if (!isAsked(event, filter)) continue;
      lines += lineOf(event);
      if (lines.length < TOGETHER) continue;
      yield lines;
      lines = '';
      if (isStopping()) break;
    }
    if (lines === '')
      await nextTurn(); // where nothing is asked for, others have the process in between
    else yield lines;
    if (isStopping()) return yield lastLine({ cursor: reached, complete: false });
    if (events.some(isPast)) break;
  }
  yield lastLine({ cursor: reached, complete: true });
}

/** An event as a line of JSON. Data and metadata are the very texts that its hash was made of. */
export function lineOf({ position, stream, revision, id, type, data, metadata }: StoredEvent): string {
  const head = JSON.stringify({ position, stream, revision, id, type });
  return `${head.slice(0, -1)},"data":${data},"metadata":${metadata}}\n`;
}

function lastLine(cursor: LogCursor): string {
  return `${JSON.stringify(cursor)}\n`;
}
