import { isTransient } from '../../database/transient.js';
import { EntitlementsProjector } from '../entitlements/entitlements.projector.js';
import { RUNNING_RULES } from '../entitlements/folding-rules.js';
import type { TakenChunk, Turn } from '../rebuild/grouped/chunk-folder.js';
import { OwnChunkFolder } from '../rebuild/grouped/own-chunk-folder.js';
import { type FromChunkThread, portable, type ToChunkThread } from './protocol.js';
import { beginning, openThreadStores } from './thread-stores.js';
import type { ChunkPlace } from './threaded-chunk-folder.js';

const { port, place } = beginning<ChunkPlace>();

function post(message: FromChunkThread): void {
  port.postMessage(message);
}

const onTrouble = (error: unknown): void => post({ kind: 'trouble', error: portable(error) });
const stores = await openThreadStores(place, { pipeline: false }, onTrouble);
const { pool, store } = stores;
if (store.eventsAt === undefined) throw new Error('the log gives no events apart from one another');
const folder = new OwnChunkFolder({
  eventsAt: store.eventsAt.bind(store),
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
  await stores.close();
  port.close(); // the last thing that keeps the thread
}

port.on('message', (message: ToChunkThread) => {
  if (message.kind === 'take') taken.set(message.id, folder.take(message.chunk));
  else if (message.kind === 'commit') void commit(message.id, message.turn);
  else if (message.kind === 'stop') void stop();
});
post({ kind: 'started' });
