import { BadRequestError } from './protocol.js';
import type { ReadOptions } from './read-call.js';
import type { LogRecord } from './records.js';

/** Records looked at per page of a catch-up when the client does not say. */
const DEFAULT_WINDOW = 32;

/** What a filtered subscription wants, and after how many records looked at it is told how far the server is. */
export interface Filter {
  readonly matches: (record: LogRecord) => boolean;
  readonly window: number;
  readonly checkpointEvery: number;
}

/** @throws BadRequestError for a regular expression that is none */
export function filterOf(options: ReadOptions): Filter | undefined {
  const filter = options.getFilter();
  if (filter === undefined) return undefined;
  const byStream = filter.getStreamIdentifier();
  const expression = byStream ?? filter.getEventType();
  if (expression === undefined) throw new BadRequestError('filter without an expression');
  const wanted = textMatcher(expression.getRegex(), expression.getPrefixList());
  const window = filter.hasMax() ? filter.getMax() : DEFAULT_WINDOW;
  return {
    matches: byStream === undefined ? (record) => wanted(record.type) : (record) => wanted(record.stream),
    window,
    checkpointEvery: window * filter.getCheckpointintervalmultiplier(),
  };
}

function textMatcher(regex: string, prefixes: readonly string[]): (text: string) => boolean {
  if (prefixes.length > 0) return (text) => prefixes.some((prefix) => text.startsWith(prefix));
  const pattern = compile(regex);
  return (text) => pattern.test(text);
}

function compile(regex: string): RegExp {
  try {
    return new RegExp(regex);
  } catch {
    throw new BadRequestError(`not a regular expression: ${regex}`);
  }
}
