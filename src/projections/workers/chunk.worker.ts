import { isTransient } from '../../database/transient.js';
import { openEventStore } from '../../event-store/open-event-store.js';
import { EntitlementsProjector } from '../entitlements/entitlements.projector.js';
import { RUNNING_RULES } from '../entitlements/folding-rules.js';
import type { TakenChunk, Turn } from '../rebuild/grouped/chunk-folder.js';
import { OwnChunkFolder } from '../rebuild/grouped/own-chunk-folder.js';
import { eventsAtOf } from '../rebuild/grouped/set-down-events.js';
import { type FromChunkThread, portable, type ToChunkThread } from './protocol.js';
import { goAfterOthers } from './thread-priority.js';
import { beginning, openThreadPool } from './thread-stores.js';
import type { ChunkPlace } from './threaded-chunk-folder.js';

goAfterOthers();
const { port, place } = beginning<ChunkPlace>();

function post(message: FromChunkThread): void {
  port.postMessage(message);
}

const onTrouble = (error: unknown): void => post({ kind: 'trouble', error: portable(error) });
const { databaseUrl, eventStoreUrl } = place;
const pool = openThreadPool(place, { pipeline: false }, onTrouble);
// Events of another log than the database's were set down in it.
const store =
  eventStoreUrl === null ? await openEventStore(place, { pool, databaseUrl, onFault: onTrouble }) : null;
const folder = new OwnChunkFolder({
  eventsAt: eventsAtOf(store ?? {}, pool, place.key.generation),
  pool,
  key: place.key,
  batchSize: place.batchSize,
  projectorOf: (generation, only) =>
    new EntitlementsProjector({
      pool,
      generation,
      rules: RUNNING_RULES,
      faultLimit: place.faultLimit,
      ...only,
    }),
});
const taken = new Map<number, TakenChunk>();

async function commit(id: number, turn: Turn): Promise<void> {
  const chunk = taken.get(id);
  taken.delete(id);
  try {
    post({ kind: 'done', id, isNoted: (await chunk?.commit(turn)) ?? false });
  } catch (error) {
    post({ kind: 'failed', id, error: portable(error), mayPass: isTransient(error) });
  }
}

async function stop(): Promise<void> {
  await folder.stop();
  await store?.close();
  await pool.end();
  port.close(); // the last thing that keeps the thread
}

port.on('message', (message: ToChunkThread) => {
  if (message.kind === 'take') taken.set(message.id, folder.take(message.chunk));
  else if (message.kind === 'commit') void commit(message.id, message.turn);
  else if (message.kind === 'stop') void stop();
});
post({ kind: 'started' });
