import { isUserId } from '../../../events/user-id.js';
import { NamedError } from '../../../observability/named-error.js';
import { id as stripeId } from '../../translate/read-json.js';
import type { ImportLink } from './importer.js';

/** A file of links cannot be used. `lines` name every fault with its line; none shows a user. */
export class InvalidLinksError extends NamedError {
  readonly code = 'invalid_links';
  constructor(readonly lines: readonly string[]) {
    super(lines.join('\n'));
  }
}

/** A first line that only names the columns. */
const HEADING = /^customer(?:_?id)?\s*,/i;

/**
 * Reads lines of `customer,user`, each saying whose a customer is. A user id in double quotes (a quote in it doubled) may
 * hold anything that one may; blank lines are left out.
 * @throws InvalidLinksError
 */
export function importLinks(text: string): readonly ImportLink[] {
  const faults: string[] = [];
  const links = new Map<string, ImportLink>();
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '' || (index === 0 && HEADING.test(line))) continue;
    const comma = line.indexOf(',');
    const customer = stripeId(line.slice(0, Math.max(0, comma)).trim());
    const userId = unquoted(line.slice(comma + 1).trim());
    if (comma < 0 || customer === null) faults.push(`line ${index + 1}: is not customer,user`);
    else if (userId === null || !isUserId(userId)) faults.push(`line ${index + 1}: the user id is not valid`);
    else if (links.has(customer)) faults.push(`line ${index + 1}: ${customer} was named before`);
    else links.set(customer, { customer, userId });
  }
  if (faults.length > 0) throw new InvalidLinksError(faults);
  return [...links.values()];
}

function unquoted(value: string): string | null {
  if (!value.startsWith('"')) return value;
  const inside = /^"((?:[^"]|"")*)"$/.exec(value)?.[1];
  return inside === undefined ? null : inside.replaceAll('""', '"');
}
