import type { EventStoreDbServer } from './server.js';
import { consumerTooSlow } from './wire-status.js';

type Command = (server: EventStoreDbServer, ...words: readonly string[]) => void | Promise<void>;

/** What the server can be told in words, one command a line, when it is a process of its own. */
const COMMANDS: Readonly<Record<string, Command>> = {
  stop: (server) => server.stop(),
  start: (server) => server.start(),
  freeze: (server) => server.freeze(),
  thaw: (server) => server.thaw(),
  refuse: ({ faults }) => {
    faults.refusing = true;
  },
  accept: ({ faults }) => {
    faults.refusing = false;
  },
  'delay-requests': ({ faults }, ms) => {
    faults.delayRequestsMs = number(ms);
  },
  'delay-answers': ({ faults }, ms) => {
    faults.delayAnswersMs = number(ms);
  },
  'delay-indexing': ({ log }, ms) => {
    log.indexDelayMs = number(ms);
  },
  'cut-connections': ({ connections }) => connections.cutAll(),
  'cut-appends-before-storing': ({ faults }, every) => faults.cutAppends(number(every), 'before storing'),
  'cut-appends-after-storing': ({ faults }, every) => faults.cutAppends(number(every), 'after storing'),
  'stop-cutting': ({ faults }) => faults.stopCutting(),
  'end-subscriptions': ({ subscriptions }) => subscriptions.end(),
  'drop-subscriptions': ({ subscriptions }) => subscriptions.fail(consumerTooSlow()),
  'silence-subscriptions': ({ subscriptions }) => subscriptions.silence(),
};

/** Does what `line` says. @throws Error for a word it does not know */
export async function obey(server: EventStoreDbServer, line: string): Promise<void> {
  const [word = '', ...rest] = line.trim().split(/\s+/);
  const command = COMMANDS[word];
  if (command === undefined) throw new Error(`no such command: ${line}`);
  await command(server, ...rest);
}

function number(word: string | undefined): number {
  const value = Number(word);
  if (word === undefined || !Number.isSafeInteger(value) || value < 0)
    throw new Error(`not a number: ${word}`);
  return value;
}
