import { HttpConnection } from './http-connection.js';
import { latencyOf, type Result } from './protocol.js';

const GIVE_UP_AFTER_FAILURES = 20;

/** Where a closed loop gets its requests from: `next` tells the bytes to send, or `undefined` when there are no more. */
export interface ClosedLoop {
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  readonly expectedStatus: number;
  next(): Buffer | undefined;
}

/**
 * Keeps one request under way on every connection until the time is over or the requests are used up: each waits for
 * its answer before it sends the next, so a slower server is offered less.
 */
export async function runClosedLoop(loop: ClosedLoop): Promise<Result> {
  const connections = await Promise.all(
    Array.from({ length: loop.connections }, () => HttpConnection.open('127.0.0.1', loop.port)),
  );
  const latencies: number[] = [];
  const unexpected: Record<string, number> = {};
  let failures = 0;
  const cpuBefore = process.cpuUsage();
  const began = performance.now();
  const deadline = began + loop.seconds * 1_000;

  const drive = async (connection: HttpConnection): Promise<void> => {
    let sentAt = performance.now();
    while (sentAt < deadline && failures < GIVE_UP_AFTER_FAILURES) {
      const request = loop.next();
      if (request === undefined) return;
      const { status } = await connection.send(request);
      const answeredAt = performance.now();
      if (status === loop.expectedStatus) latencies.push(answeredAt - sentAt);
      else {
        unexpected[status] = (unexpected[status] ?? 0) + 1;
        failures += 1;
      }
      sentAt = answeredAt;
    }
  };
  await Promise.all(connections.map(drive));

  const seconds = (performance.now() - began) / 1_000;
  const generatorCpu = cpuShare(cpuBefore, seconds);
  for (const connection of connections) connection.close();
  return {
    done: latencies.length,
    seconds,
    latency: latencyOf(latencies),
    unexpected,
    generatorCpu,
    visible: null,
  };
}

/** Share of one core used since `before`. */
export function cpuShare(before: NodeJS.CpuUsage, seconds: number): number {
  const used = process.cpuUsage(before);
  return (used.user + used.system) / 1e6 / seconds;
}
