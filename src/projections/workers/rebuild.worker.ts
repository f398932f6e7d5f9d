import { openRebuildProjector } from '../rebuild/rebuild-projector.js';
import { type FromRebuildThread, portable, type ToThread } from './protocol.js';
import { goAfterOthers } from './thread-priority.js';
import { beginning, openThreadStores } from './thread-stores.js';
import { threadedChunkFolders } from './threaded-chunk-folder.js';

goAfterOthers();
const { port, place } = beginning();

function post(message: FromRebuildThread): void {
  port.postMessage(message);
}

const onTrouble = (error: unknown): void =>
  post({ kind: 'called', call: { name: 'onTrouble', given: [portable(error)] } });
// Nobody waits for a batch, and the texts of all its statements at once are more memory than those of two.
const stores = await openThreadStores(place, { pipeline: false }, onTrouble);
const rebuildProjector = openRebuildProjector({
  store: stores.store,
  streamPrefix: place.streamPrefix,
  pool: stores.pool,
  url: place.databaseUrl,
  onFault: (...given) => post({ kind: 'called', call: { name: 'onFault', given } }),
  onSetAside: (...given) => post({ kind: 'called', call: { name: 'onSetAside', given } }),
  faultLimit: place.faultLimit,
  moreFolders: threadedChunkFolders(place, { onTrouble }),
  onTrouble,
});

async function stop(): Promise<void> {
  await rebuildProjector.stop();
  await stores.close();
  port.close(); // the last thing that keeps the thread
}

port.on('message', (message: ToThread) => {
  if (message.kind === 'wake') rebuildProjector.runner.wake();
  else void stop();
});
rebuildProjector.runner.start();
post({ kind: 'started' });
