// A thread for tests: begins, and then does what it was told.
import { parentPort, workerData } from 'node:worker_threads';

if (workerData.databaseUrl === 'throws at once') throw new Error('no way to begin');
parentPort.postMessage({ kind: 'started' });
parentPort.on('message', ({ kind }) => {
  if (kind === 'wake') throw new Error('fell over');
  parentPort.postMessage({ kind: 'ended in order' });
  parentPort.close();
});
