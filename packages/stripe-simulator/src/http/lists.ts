import { invalidRequest, resourceMissing } from '../api-error.js';
import type { List } from '../stored.js';
import { type Cursor, type Selection, type Table, UnknownCursorError } from '../table.js';

/** A page of a table as v1 answers it. @throws ApiError 400 when a cursor is of nothing there */
export function listOf<Row extends { readonly id: string }, Index extends string>(
  url: string,
  table: Table<Row, Index>,
  cursor: Cursor,
  selection: Selection<Row, Index> = {},
): List<Row> {
  if (cursor.starting_after !== undefined && cursor.ending_before !== undefined) {
    throw invalidRequest('You may only specify one of these parameters: starting_after, ending_before.', {
      code: 'parameters_exclusive',
    });
  }
  try {
    return { object: 'list', ...table.page(cursor, selection), url };
  } catch (error) {
    if (!(error instanceof UnknownCursorError)) throw error;
    const kind = url.split('/').at(-1)?.replace(/s$/, '') ?? 'object';
    throw resourceMissing(kind, error.id, error.parameter);
  }
}

/** A page of rows that are at hand, in the order in which they are shown. */
export function pageOf<Row extends { readonly id: string }>(
  url: string,
  rows: readonly Row[],
  cursor: Cursor,
): List<Row> {
  const after = rows.findIndex(({ id }) => id === cursor.starting_after);
  if (cursor.starting_after !== undefined && after === -1) {
    throw resourceMissing('object', cursor.starting_after, 'starting_after');
  }
  const before = rows.findIndex(({ id }) => id === cursor.ending_before);
  const start = cursor.ending_before === undefined ? after + 1 : Math.max(0, before - cursor.limit);
  const end = cursor.ending_before === undefined ? start + cursor.limit : before;
  const has_more = cursor.ending_before === undefined ? end < rows.length : start > 0;
  return { object: 'list', data: rows.slice(start, end), has_more, url };
}
