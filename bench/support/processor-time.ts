import { readFile } from 'node:fs/promises';

/** Ticks of processor time in a second, as Linux tells programs (proc_pid_stat(5)). */
const TICKS_PER_SECOND = 100;
/** Places of `utime` and `stime` behind the name of the program, which ends with a parenthesis. */
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;

/** Processor seconds that a process took so far, all its threads together; `null` where the system does not tell. */
export async function processorSeconds(pid: number): Promise<number | null> {
  if (process.platform !== 'linux') return null;
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const figures = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(figures[USER_TICKS]) + Number(figures[SYSTEM_TICKS])) / TICKS_PER_SECOND;
}
