// A thread for tests: begins at a priority, or at that of its process, goes after others, and says at which one it is then.
import { readlinkSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { basename } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { goAfterOthers } from '../../src/projections/workers/thread-priority.js';

const thread = Number(basename(readlinkSync('/proc/thread-self')));
if (workerData !== null) setPriority(thread, workerData);
goAfterOthers();
parentPort.postMessage(getPriority(thread));
