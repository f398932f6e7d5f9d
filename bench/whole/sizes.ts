import type { Note } from '../report.js';
import type { Seen } from './report.js';

/** Installations for which the figures of a run are carried on; webhooks a second at the busiest. */
const INSTALLATIONS = [
  { users: 10_000, events: 100_000, streams: 100, rate: 10 },
  { users: 100_000, events: 1_000_000, streams: 1_000, rate: 50 },
  { users: 1_000_000, events: 10_000_000, streams: 10_000, rate: 200 },
] as const;
/** `STREAMS_MAX` as it is unless set. */
const STREAMS_OF_AN_INSTANCE = 5_000;
/** How much more than was measured a machine should have: of processors twice as much, and one core for a rebuild. */
const SPARE_PROCESSORS = 2;
const SPARE_MEMORY = 1.25;
/** Gigabytes that PostgreSQL's write-ahead log may take (`max_wal_size`). */
const WRITE_AHEAD_GB = 2;

/** The table by which a machine is sized: the figures of a run, times what is asked for. */
export function sizesNote(seen: Seen): Note {
  const lines = INSTALLATIONS.map((installation) => {
    const { users, events, streams, rate } = installation;
    const instances = Math.max(2, Math.ceil(streams / STREAMS_OF_AN_INSTANCE) + 1);
    const cores = Math.max(2, Math.ceil(SPARE_PROCESSORS * coresAt(seen, rate) + 1));
    const cells = [users, events, streams, rate, instances, cores];
    const [memory, disk] = [memoryOf(seen, instances), diskOf(seen, events)];
    return `| ${cells.map((cell) => cell.toLocaleString('en-US')).join(' | ')} | ${memory} GB | ${disk} GB |`;
  });
  return {
    what: 'the whole: sizes of machines by these figures',
    value: `\n| users | events | streams | webhooks/s | instances | cores | memory | disk |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n${lines.join('\n')}`,
  };
}

/** Cores that instances, PostgreSQL and Redis took, carried on from the rate of the run. */
function coresAt({ steady, rate: measured }: Seen, rate: number): number {
  const ours = steady.processors.filter(({ name }) => !name.endsWith('(of the bench)'));
  const seconds = ours.reduce((sum, { seconds }) => sum + seconds, 0);
  return (seconds / steady.seconds / measured) * rate;
}

function memoryOf({ instances, postgresMegabytes, redisMegabytes }: Seen, count: number): number {
  const instance = Math.max(...instances.map(({ most }) => most));
  const megabytes = instance * count + (postgresMegabytes ?? 0) + redisMegabytes;
  return Math.ceil((megabytes * SPARE_MEMORY) / 1_000);
}

/** With the generation before, which is kept until it is dropped. */
function diskOf({ room }: Seen, events: number): number {
  const bytes = ((room.log + room.readModels) / room.events) * events;
  return Math.ceil(bytes / 1e9) + WRITE_AHEAD_GB;
}
