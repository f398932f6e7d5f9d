import { existsSync, readlinkSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { basename } from 'node:path';

/** Linux names the thread that looks here: `<process>/task/<thread>`. */
const THIS_THREAD = '/proc/thread-self';

/**
 * Lets every thread of usual priority go before this one where processors are short, as nobody waits for it; to be called in a
 * worker thread. Linux alone has priorities of threads: elsewhere it does nothing.
 */
export function goAfterOthers(): void {
  if (!existsSync(THIS_THREAD)) return;
  setPriority(Number(basename(readlinkSync(THIS_THREAD))), constants.priority.PRIORITY_BELOW_NORMAL);
}
