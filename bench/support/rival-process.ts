import { z } from 'zod';
import { forkTypeScript, nextMessage, pidOf, stopChild } from './child.js';

const readySchema = z.strictObject({ port: z.number() });

/** A server to measure: on `port` of 127.0.0.1, in a process of its own. */
export interface BenchServer {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Starts `rivals/<name>.ts` and waits until it serves. */
export async function startRival(name: string, env: Readonly<Record<string, string>>): Promise<BenchServer> {
  const child = forkTypeScript(`rivals/${name}.ts`, env);
  try {
    const { port } = readySchema.parse(await nextMessage(child, name));
    return { port, pid: pidOf(child), stop: () => stopChild(child) };
  } catch (error) {
    await stopChild(child);
    throw error;
  }
}
