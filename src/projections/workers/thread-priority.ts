import { existsSync, readlinkSync } from 'node:fs';
import { constants, getPriority, setPriority } from 'node:os';
import { basename } from 'node:path';

/** Linux names the thread that looks here: `<process>/task/<thread>`. */
const THIS_THREAD = '/proc/thread-self';
const { PRIORITY_BELOW_NORMAL } = constants.priority;

/**
 * Lets every thread of usual priority go before this one where processors are short, as nobody waits for it; to be called in a
 * worker thread. One that goes after even more, as all of a process under `nice` do, stays there: nobody but root may bring it
 * forward (`setpriority(2)`). Linux alone has priorities of threads: elsewhere it does nothing.
 */
export function goAfterOthers(): void {
  if (!existsSync(THIS_THREAD)) return;
  const thread = Number(basename(readlinkSync(THIS_THREAD)));
  if (getPriority(thread) < PRIORITY_BELOW_NORMAL) setPriority(thread, PRIORITY_BELOW_NORMAL);
}
