import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { z } from 'zod';
import { compiled } from './compiled.js';

const reportSchema = z.union([
  z.object({ url: z.string(), server: z.number() }),
  z.object({ refused: z.string(), message: z.string() }),
]);

/** A process of its own that runs an embedded server, to be killed by tests. */
export interface PostgresOwner {
  readonly pid: number;
  /** What it said: its server, or why it has none. */
  readonly report: z.infer<typeof reportSchema>;
  /** Sends the signal and waits until the process has ended; its exit code, `null` after a signal. */
  kill(signal: NodeJS.Signals): Promise<number | null>;
}

/** Starts such a process and waits for its report. `identity` is whom to run as, when we are root. */
export async function startPostgresOwner(
  dataDir: string,
  identity: { readonly uid?: number; readonly gid?: number } = {},
): Promise<PostgresOwner> {
  const child = spawn(process.execPath, [compiled('test/support/postgres-owner.process.ts'), dataDir], {
    ...identity,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const report = await firstLine(child);
  return {
    pid: child.pid ?? Number.NaN,
    report: reportSchema.parse(JSON.parse(report)),
    kill: async (signal) => {
      child.kill(signal);
      await exited;
      return child.exitCode;
    },
  };
}

async function firstLine(child: ChildProcess): Promise<string> {
  let text = '';
  for await (const chunk of child.stdout?.iterator({ destroyOnReturn: false }) ?? []) {
    text += String(chunk);
    if (text.includes('\n')) break;
  }
  return text;
}
