import type { Command } from 'commander';
import { loadUserIds } from '../config/part-settings.js';
import { holdsAddress } from '../events/user-id.js';
import { ProblemError } from '../http/problem.js';
import { UserErasedError } from '../pseudonyms/errors.js';
import { isPseudonym, replaceStoredIds, storedIdsIn } from '../pseudonyms/pseudonym.js';
import { checkText } from '../pseudonyms/request-ids.js';
import { keepsPseudonyms, storedAt } from './kept-user-ids.js';
import type { Terminal } from './terminal.js';

/** Commands that take the user's own id, and what stands for it in the log themselves. */
const TAKES_OWN_ID = ['erase', 'readmit'];
/** Commands that look at users, also at those whose ids came before `USER_ID_EMAIL=refuse`. */
const LOOKS = 'users';
/** Commands that need no database, and show what a file holds. */
const WITHOUT_DATABASE = ['verify-export'];
/** Options that go into the log as they are said. */
const SAID = ['reason', 'actor'];

/**
 * The way in of user ids on the command line: before a command runs, its `<user>` and `--user` become what stands for them
 * inside, and what is said for the log is held to hold none.
 * @throws ProblemError `invalid_user_id`, UserErasedError, UnfitTextError
 */
export async function translateArguments(terminal: Terminal, command: Command): Promise<void> {
  const at = command.registeredArguments.findIndex((argument) => argument.name() === 'user');
  const options: Readonly<Record<string, unknown>> = command.opts();
  const given = [command.processedArgs[at], options.user].filter((userId) => typeof userId === 'string');
  for (const name of SAID) {
    const text = options[name];
    if (typeof text === 'string') checkText(name, text, given);
  }
  const [userId] = given;
  if (userId === undefined || TAKES_OWN_ID.includes(command.name())) return;
  if (!keepsPseudonyms(terminal)) {
    if (at >= 0 && command.parent?.name() !== LOOKS) checkAddress(terminal, userId);
    return;
  }
  const stored = await storedOf(terminal, userId);
  if (at >= 0) command.processedArgs[at] = stored;
  else command.setOptionValue('user', stored);
}

/** @throws ProblemError `invalid_user_id` */
function checkAddress({ environment }: Terminal, userId: string): void {
  if (!holdsAddress(userId) || loadUserIds(environment).ownUserIds.email !== 'refuse') return;
  throw new ProblemError('invalid_user_id', 'A user id may be no address of an e-mail (USER_ID_EMAIL).');
}

async function storedOf(terminal: Terminal, userId: string): Promise<string> {
  if (isPseudonym(userId)) return userId; // as exports and audits have it
  const { withServicePool } = await import('./service-pool.js');
  return withServicePool(terminal, 'read', async ({ pool }) => {
    const stored = (await storedAt(terminal, pool, [userId])).get(userId);
    if (stored === undefined) throw new UserErasedError();
    return stored;
  });
}

/** Whether a command needs no database: what it prints goes out as it is. */
export function needsNoDatabase(command: Command): boolean {
  return WITHOUT_DATABASE.includes(command.name());
}

/** The way out: text of a command with pseudonyms in it is held back until the command ends, and goes out with user ids. */
export class RevealedOutput {
  /** What is held back, each behind what came before it. */
  readonly #held: string[] = [];
  #passes = false;

  constructor(private readonly terminal: Omit<Terminal, 'exitWith'>) {}

  readonly out = (text: string): void => {
    const isPlain = this.#held.length === 0 && storedIdsIn(text).length === 0;
    if (this.#passes || isPlain) this.terminal.out(text);
    else this.#held.push(text);
  };

  /** Lets all text pass as it is from now on. */
  pass(): void {
    this.#passes = true;
  }

  /** Prints what is held back. */
  async end(terminal: Terminal): Promise<void> {
    const stored = [...new Set(this.#held.flatMap(storedIdsIn))];
    if (stored.length === 0) return;
    const [{ withServicePool }, { PairsRepository }] = await Promise.all([
      import('./service-pool.js'),
      import('../pseudonyms/pairs.repository.js'),
    ]);
    const pairs = await withServicePool(terminal, 'read', ({ pool }) =>
      new PairsRepository(pool).findByPseudonym(stored),
    );
    const userIds = new Map(pairs.map(({ pseudonym, userId }) => [pseudonym, userId]));
    for (const text of this.#held.splice(0)) {
      const isJson = /^\s*[{["]/.test(text);
      this.terminal.out(
        replaceStoredIds(text, (each) => {
          const userId = userIds.get(each);
          return userId === undefined || !isJson ? userId : JSON.stringify(userId).slice(1, -1);
        }),
      );
    }
  }
}
