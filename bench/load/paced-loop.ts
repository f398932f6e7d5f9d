import { setTimeout as pause } from 'node:timers/promises';
import { cpuShare } from './closed-loop.js';
import { ConnectionPool } from './connection-pool.js';
import { requestBytes } from './http-connection.js';
import { latencyOf, type PacedReadsJob, type Result } from './protocol.js';

/**
 * Reads at a fixed rate, by the clock: a slow answer delays none of the next (open loop), until `signal` says stop. A
 * latency counts from when the read was *due*, which hides no stall of the server.
 */
export async function runPacedReads(job: PacedReadsJob, signal: AbortSignal): Promise<Result> {
  const requests = job.paths.map((path) => requestBytes('GET', path, job.headers, ''));
  const pool = new ConnectionPool(job.port);
  await pool.fill(job.connections);
  const latencies: number[] = [];
  const unexpected: Record<string, number> = {};
  const read = async (request: Buffer, due: number): Promise<void> => {
    const { status } = await pool.send(request);
    if (status === 200) latencies.push(performance.now() - due);
    else unexpected[status] = (unexpected[status] ?? 0) + 1;
  };

  const cpuBefore = process.cpuUsage();
  const began = performance.now();
  const all: Promise<void>[] = [];
  while (!signal.aborted) {
    const dueNow = Math.floor(((performance.now() - began) / 1_000) * job.rate) + 1;
    for (let number = all.length; number < dueNow; number += 1) {
      const request = requests[number % requests.length];
      if (request !== undefined) all.push(read(request, began + (number / job.rate) * 1_000));
    }
    await pause(1);
  }
  await Promise.all(all);
  const seconds = (performance.now() - began) / 1_000;
  const generatorCpu = cpuShare(cpuBefore, seconds);
  pool.close();
  return {
    done: latencies.length,
    seconds,
    latency: latencyOf(latencies),
    unexpected,
    generatorCpu,
    visible: null,
  };
}
