import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive } from './server-cluster.js';
import { errorCode, isMissing } from './server-identity.js';

/** A turn lasts no longer: whoever seems to hold one may be another process with the number of one that was killed. */
const TURN_MS = 60_000;

/**
 * The turn to start a server on a data folder, or to end one that was left behind: a file with the number of the process
 * that has it. Two that start at once would else each take the other's young server for one left behind, and stop it.
 * Whose the folder is in the end is for `OwnerLock` to say.
 */
export class StartTurn {
  private constructor(private readonly file: string) {}

  /** Takes the turn in the folder `dir` of a cluster; `null` while another living process has it. */
  static async take(dir: string): Promise<StartTurn | null> {
    const file = join(dir, 'tenure.starting');
    for (;;) {
      try {
        await writeFile(file, String(process.pid), { flag: 'wx', mode: 0o600 });
        return new StartTurn(file);
      } catch (error) {
        if (errorCode(error) !== 'EEXIST') throw error;
      }
      if (await isHeld(file)) return null;
      await rm(file, { force: true });
    }
  }

  async release(): Promise<void> {
    await rm(this.file, { force: true });
  }
}

async function isHeld(file: string): Promise<boolean> {
  try {
    const { mtimeMs } = await stat(file);
    const holder = await readFile(file, 'utf8'); // empty for the moment in which it is made
    return Date.now() - mtimeMs < TURN_MS && (holder === '' || isOther(Number(holder)));
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Process ids of a container start anew: every process before this one had its number. */
function isOther(pid: number): boolean {
  return pid !== process.pid && isAlive(pid);
}
