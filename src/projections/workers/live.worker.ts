import { setInterval } from 'node:timers';
import { openTracing } from '../../observability/open-tracing.js';
import type { ProjectionListener } from '../engine/projection.js';
import { RUNNING_RULES } from '../entitlements/folding-rules.js';
import { liveFold } from '../live-fold.js';
import {
  type CallOf,
  type FromLiveThread,
  portable,
  type ToLiveThread,
  type WorkerRequest,
} from './protocol.js';
import { beginning, openThreadStores } from './thread-stores.js';

/** Interval of status messages, in milliseconds: some figures, such as the lag, grow while nothing happens. */
const STATUS_EVERY_MS = 250;

const { port, place } = beginning();
const listeners = new Set<() => void>();

function post(message: FromLiveThread): void {
  port.postMessage(message);
}

function report(call: CallOf<ProjectionListener>): void {
  post({ kind: 'called', at: Date.now(), status: engine.status(), call });
}

const onTrouble = (error: unknown): void => report({ name: 'onTrouble', given: [portable(error)] });
// Who has paid waits for a batch: some twenty turns with the server would take longer than what is done in them.
const stores = await openThreadStores(place, { pipeline: true }, onTrouble);
const tracing =
  place.tracing === null
    ? null
    : await openTracing(place.tracing, { fails: onTrouble, works: () => undefined });
const { store, pool } = stores;
const engine = liveFold({
  store: {
    read: (stream, from) => store.read(stream, from),
    readAll: (after, limit) => store.readAll(after, limit),
    readAfterEvent: (position, limit) => store.readAfterEvent(position, limit),
    head: () => store.head(),
    eventIdAt: (position) => store.eventIdAt(position),
    // The thread that appends has the store's notifier, and passes its notifications on.
    onAppend: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  },
  streamPrefix: place.streamPrefix,
  pool,
  url: place.databaseUrl,
  rules: RUNNING_RULES,
  faultLimit: place.faultLimit,
  tracing,
  listener: {
    onChanged: (...given) => report({ name: 'onChanged', given }),
    onConfirmed: (...given) => report({ name: 'onConfirmed', given }),
    onBatch: (...given) => report({ name: 'onBatch', given }),
    onFault: (...given) => report({ name: 'onFault', given }),
    onSetAside: (...given) => report({ name: 'onSetAside', given }),
    onTrouble,
  },
});

async function answer(id: number, question: WorkerRequest): Promise<void> {
  if (question.kind === 'next_change') {
    await engine.nextChange(question.ms);
    post({ kind: 'answered', id, answer: true });
  } else {
    post({ kind: 'answered', id, answer: await engine.waitUntil(question.position, question.timeoutMs) });
  }
}

let tick: NodeJS.Timeout | undefined;
let isStopping = false;

async function stop(): Promise<void> {
  isStopping = true;
  clearInterval(tick);
  await engine.stop();
  post({ kind: 'status', at: Date.now(), status: engine.status() });
  await stores.close();
  await tracing?.close();
  port.close(); // the last thing that keeps the thread
}

port.on('message', (message: ToLiveThread) => {
  if (message.kind === 'wake') for (const listener of listeners) listener();
  else if (message.kind === 'ask') void answer(message.id, message.question);
  else void stop();
});
await engine.start();
if (!isStopping) {
  tick = setInterval(
    () => post({ kind: 'status', at: Date.now(), status: engine.status() }),
    STATUS_EVERY_MS,
  );
  post({ kind: 'started', at: Date.now(), status: engine.status() });
}
