/** One side of the EventStoreDB works, a process of its own: one job comes in as a message, one reply goes out. */
import { cpuShare } from '../load/closed-loop.js';
import { latencyOf } from '../load/protocol.js';
import { BareClient } from '../rivals/bare-client.js';
import { given } from '../support/rival-server.js';
import type { LogUnderTest } from './log-under-test.js';
import { PortLog } from './port-log.js';
import {
  type AppendJob,
  type LogJob,
  type LogReply,
  type LogResult,
  logJobSchema,
  type ReadJob,
} from './protocol.js';
import { sampleEvent } from './sample-event.js';

const log = sideOf(given('BENCH_LOG_SIDE'));

process.on('message', (message) => {
  void answer(message);
});

function sideOf(name: string): LogUnderTest {
  const url = given('BENCH_EVENTSTORE_URL');
  switch (name) {
    case 'port':
      return new PortLog(url, given('BENCH_STREAM_PREFIX'));
    case 'bare':
      return new BareClient(url);
    default:
      throw new Error(`no such side: ${name}`);
  }
}

async function answer(message: unknown): Promise<void> {
  try {
    reply({ result: await run(logJobSchema.parse(message)) });
  } catch (error) {
    reply({ error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) });
  }
}

function reply(message: LogReply): void {
  process.send?.(message);
}

function run(job: LogJob): Promise<LogResult> {
  switch (job.kind) {
    case 'append':
      return append(job);
    case 'read':
      return read(job);
    default:
      return job satisfies never;
  }
}

/** Keeps so many appends under way until the time is over; each lane waits for its answer. */
function append(job: AppendJob): Promise<LogResult> {
  let next = 0;
  return measured(async (latencies) => {
    const deadline = performance.now() + job.seconds * 1_000;
    const lane = async (): Promise<void> => {
      for (let began = performance.now(); began < deadline; ) {
        const stream = `${job.streams}${next}`;
        next += 1;
        await log.append(stream, sampleEvent());
        const ended = performance.now();
        latencies.push(ended - began);
        began = ended;
      }
    };
    await Promise.all(Array.from({ length: job.inFlight }, lane));
    return latencies.length;
  });
}

/** Walks to the end of the log again and again; every walk must find the same. */
function read(job: ReadJob): Promise<LogResult> {
  return measured(async (latencies) => {
    const deadline = performance.now() + job.seconds * 1_000;
    do {
      const began = performance.now();
      const found = await log.countAfter(job.after, job.streams, job.page);
      if (found !== job.events) throw new Error(`${found} events read, but ${job.events} are in the log`);
      latencies.push(performance.now() - began);
    } while (performance.now() < deadline);
    return latencies.length * job.events;
  });
}

/** Runs `work`, which tells how much it did and puts the ms of each piece into the list. */
async function measured(work: (latencies: number[]) => Promise<number>): Promise<LogResult> {
  const latencies: number[] = [];
  const cpuBefore = process.cpuUsage();
  const began = performance.now();
  const done = await work(latencies);
  const seconds = (performance.now() - began) / 1_000;
  return { done, seconds, latency: latencyOf(latencies), cpu: cpuShare(cpuBefore, seconds) };
}
