import { readdir, readFile } from 'node:fs/promises';
import { withClient } from '../support/service-log.js';

/** Linux counts processor time in hundredths of a second (`getconf CLK_TCK`; proc(5), /proc/pid/stat). */
const TICKS_A_SECOND = 100;
const KILOBYTES_A_MEGABYTE = 1_000;

/** What /proc/pid/stat says of a process: times in seconds, `ended` of its children that have ended. */
interface ProcessStat {
  readonly parent: number;
  readonly used: number;
  readonly ended: number;
}

async function statOf(pid: number | string): Promise<ProcessStat | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(missing);
  if (text === null) return null;
  const [, parent, ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const seconds = (at: number): number => Number(rest[at]) / TICKS_A_SECOND;
  return { parent: Number(parent), used: seconds(9) + seconds(10), ended: seconds(11) + seconds(12) };
}

/** Processor seconds that a process of this machine took so far; 0 when it has ended, or where there is no /proc. */
export async function processorSeconds(pid: number | undefined): Promise<number> {
  return pid === undefined ? 0 : ((await statOf(pid))?.used ?? 0);
}

/** Processor time and memory of a PostgreSQL server of this machine, all its processes together. */
export class PostgresProcesses {
  private constructor(private readonly postmaster: number) {}

  /** `null` where the server is not of this machine. */
  static async find(databaseUrl: string): Promise<PostgresProcesses | null> {
    return withClient(databaseUrl, async (client) => {
      const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
      const pid = rows[0]?.pid ?? 0;
      const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(missing);
      const stat = await statOf(pid);
      return name?.startsWith('postgres') && stat !== null ? new PostgresProcesses(stat.parent) : null;
    });
  }

  /** Seconds so far, those of sessions that have ended too. */
  async processorSeconds(): Promise<number> {
    const own = await statOf(this.postmaster);
    let seconds = (own?.used ?? 0) + (own?.ended ?? 0);
    for (const pid of await this.#children()) seconds += (await statOf(pid))?.used ?? 0;
    return seconds;
  }

  /** Memory in MB; what processes share counts once (`Pss`). */
  async megabytes(): Promise<number> {
    let kilobytes = 0;
    for (const pid of [String(this.postmaster), ...(await this.#children())]) {
      const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(missing);
      kilobytes += Number(/^Pss: +(\d+) kB/m.exec(text ?? '')?.[1] ?? 0);
    }
    return Math.round(kilobytes / KILOBYTES_A_MEGABYTE);
  }

  async #children(): Promise<readonly string[]> {
    const children: string[] = [];
    for (const name of await readdir('/proc')) {
      if (/^\d+$/.test(name) && (await statOf(name))?.parent === this.postmaster) children.push(name);
    }
    return children;
  }
}

/** A process that has ended meanwhile, or a system without /proc. */
function missing(error: unknown): null {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT' || code === 'ESRCH') return null;
  throw error;
}
