import { readFile } from 'node:fs/promises';
import type { Pool } from 'pg';
import { z } from 'zod';
import { Erasures } from '../commands/erasures.js';
import { Repositories } from '../commands/repositories.js';
import { loggedErasures } from '../pseudonyms/logged-erasures.js';
import { PairsRepository } from '../pseudonyms/pairs.repository.js';
import type { JsonOption } from './arguments.js';
import { EXIT } from './exit-codes.js';
import { keepsPseudonyms, pseudonymsAt } from './kept-user-ids.js';
import { json, show, type Terminal } from './terminal.js';
import { type ServiceLog, withLog } from './with-log.js';
import { knownLog, originOf } from './with-read-side.js';

export interface EraseOptions extends JsonOption {
  readonly actor: string;
}

const leftRow = z.tuple([
  z.object({
    customers: z.array(z.string()),
    subscriptions: z.array(z.string()),
    checkouts: z.array(z.string()),
    served: z.coerce.number(),
    history: z.coerce.number(),
    messages: z.coerce.number(),
  }),
]);
type Left = z.infer<typeof leftRow>[0];

const WITHOUT =
  'tenure: user ids are kept as they are (USER_ID_PSEUDONYMS is false): nobody can be erased from a log that only grows, and nothing was changed\n';

/** `tenure users erase`. @throws OtherLogError, PseudonymKeyUnreadableError */
export async function eraseUser(terminal: Terminal, userId: string, options: EraseOptions): Promise<void> {
  await withErasures(terminal, async (erasures, { pool }) => {
    const { outcome, pseudonym, at } = await erasures.erase(userId, originOf(options.actor));
    const left = pseudonym === null ? null : await leftOf(pool, pseudonym);
    show(terminal, options, { outcome, at, pseudonym, left }, [
      outcome === 'erased' ? `erased at ${at}` : `was erased at ${at} before`,
      ...(pseudonym === null || left === null
        ? ['there is no pair of the id: nothing in log and database tells whose anything is']
        : linesOf(pseudonym, left)),
      'the id is still in backups from before, and in dead rows and write-ahead logs of PostgreSQL until it drops them (VACUUM FULL)',
    ]);
  });
}

/** `tenure users readmit`. @throws as `eraseUser` */
export async function readmitUser(terminal: Terminal, userId: string, options: EraseOptions): Promise<void> {
  await withErasures(terminal, async (erasures) => {
    const readmitted = await erasures.readmit(userId, originOf(options.actor));
    const outcome = readmitted === null ? 'not_erased' : 'readmitted';
    show(terminal, options, { outcome }, [
      readmitted === null
        ? 'the user is not erased'
        : 'taken in again, as somebody new: what Stripe made before is theirs only once it is linked',
    ]);
    if (readmitted === null) terminal.exitWith(EXIT.no);
  });
}

/** `tenure users erasures`. @throws OtherLogError */
export function listErasures(terminal: Terminal): Promise<void> {
  return withLog(terminal, 'read', async ({ store, settings: { streamPrefix } }) => {
    for (const { hash, erasedAt, readmittedAt } of await loggedErasures(store, streamPrefix)) {
      terminal.out(json({ user: hash, erasedAt: timeText(erasedAt), readmittedAt: timeText(readmittedAt) }));
    }
  });
}

/** `tenure users erase-again`. @throws OtherLogError, PseudonymKeyUnreadableError */
export async function eraseAgain(terminal: Terminal, file: string, options: EraseOptions): Promise<void> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line.trim() !== '');
  const erasures = z.array(erasureLine).safeParse(lines.map(jsonOf));
  if (!erasures.success) {
    terminal.err(`tenure: ${file} is not what \`tenure users erasures\` prints\n`);
    terminal.exitWith(EXIT.data);
    return;
  }
  await withErasures(terminal, async (service) => {
    const erased = await service.eraseAgain(erasures.data, originOf(options.actor));
    show(terminal, options, { erased }, [`${erased} of ${erasures.data.length} users were erased again`]);
  });
}

const time = z.iso.datetime().transform((text) => Date.parse(text));
const erasureLine = z
  .object({ user: z.string().regex(/^[0-9a-f]{64}$/), erasedAt: time, readmittedAt: time.nullable() })
  .transform(({ user: hash, ...times }) => ({ hash, ...times }));

function timeText(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

/** What a line says, `null` of one that is no JSON: the schema refuses it. */
function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function withErasures(
  terminal: Terminal,
  work: (erasures: Erasures, log: ServiceLog) => Promise<void>,
): Promise<void> {
  return withLog(terminal, 'write', async (log) => {
    if (!keepsPseudonyms(terminal)) {
      terminal.err(WITHOUT);
      terminal.exitWith(EXIT.no);
      return;
    }
    const { pool, store, now, settings } = log;
    const { streamPrefix } = settings;
    const repositories = new Repositories(store, { streamPrefix, now, mayWrite: knownLog(store, pool) });
    const pseudonyms = await pseudonymsAt(terminal, pool);
    await work(new Erasures({ pseudonyms, pairs: new PairsRepository(pool), repositories, store, now }), log);
  });
}

const LIVE = 'generation = (select generation from tenure.live_generation)';

/** What is left of a user, of whom nothing but a pseudonym is known any more. */
async function leftOf(pool: Pool, pseudonym: string): Promise<Left> {
  const ids = (column: string, table: string): string =>
    `array(select ${column} from tenure.${table} where ${LIVE} and owner = $1 order by 1)`;
  const { rows } = await pool.query(
    `select ${ids('customer', 'customer')} as customers, ${ids('subscription', 'subscription')} as subscriptions,
       ${ids('session', 'checkout')} as checkouts,
       (select count(*) from tenure.served_entitlement where user_id = $1) as served,
       (select count(*) from tenure.entitlement_history where ${LIVE} and user_id = $1) as history,
       (select count(*) from tenure.reaction_work where payload::text like '%' || $1 || '%') as messages`,
    [pseudonym],
  );
  return leftRow.parse(rows)[0];
}

function linesOf(
  pseudonym: string,
  { customers, subscriptions, checkouts, ...rows }: Left,
): readonly string[] {
  return [
    `left in the log and in the read models, under ${pseudonym}, which tells nobody any more:`,
    `  Stripe's own ids: ${[...customers, ...subscriptions, ...checkouts].join(', ') || 'none'}`,
    `  ${rows.served} rows of what was served, ${rows.history} of history, ${rows.messages} messages (those to come are not sent)`,
    `to delete at Stripe, which knows the person: ${customers.join(', ') || 'no customer that is known here'}`,
    ...subscriptions.map((id) => `  cancel ${id}, if it still runs`),
  ];
}
