/**
 * `npm run record:event -- CustomerDeleted data.json customer-cus_1 [customer.deleted]`: writes the golden file of an event type in
 * its version of today, sealed. `data.json` holds its data, then come its stream without the prefix and, of what Stripe tells,
 * the Stripe type. A golden file that is there is never written again.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { z } from 'zod';
import { currentSchemaVersion, EVENT_TYPES, type EventType } from '../../src/events/event-types.js';
import { GOLDEN_FOLDER, goldenFile } from './golden-events.js';

const USAGE = 'usage: npm run record:event -- TYPE data.json STREAM [STRIPE-TYPE]';

/** sysexits.h: called wrongly, or with data that is not of the type; a file that is there already. */
const [EX_USAGE, EX_DATAERR, EX_CANTCREAT] = [64, 65, 73];

function refuse(line: string, code: number): never {
  process.stderr.write(`record:event: ${line}\n`);
  process.exit(code);
}

function isEventType(name: string): name is EventType {
  return Object.hasOwn(EVENT_TYPES, name);
}

const [type, file, stream, stripeEventType = null] = process.argv.slice(2);
if (type === undefined || file === undefined || stream === undefined) refuse(USAGE, EX_USAGE);
if (!isEventType(type)) refuse(`${type} has no line in EVENT_TYPES (src/events/event-types.ts)`, EX_USAGE);
const path = join(GOLDEN_FOLDER, `${type}.v${currentSchemaVersion(type)}.json`);
const shown = relative(process.cwd(), path);
if (existsSync(path)) refuse(`${shown} is there: raise the schema version of ${type} first`, EX_CANTCREAT);
try {
  const golden = goldenFile(type, JSON.parse(readFileSync(file, 'utf8')), { stream, stripeEventType });
  writeFileSync(path, `${JSON.stringify(golden, null, 2)}\n`);
} catch (error) {
  if (error instanceof z.ZodError) refuse(z.prettifyError(error), EX_DATAERR);
  throw error;
}
process.stdout.write(`recorded ${shown}\n`);
