import type { Position } from '../../events/stored-event.js';
import type { ProjectionFault } from '../engine/checkpoint.js';
import type { ProjectionListener, ProjectionStatus } from '../engine/projection.js';
import type { SetAside } from '../engine/projector.js';
import type { Turn } from '../rebuild/grouped/chunk-folder.js';
import type { Chunk } from '../rebuild/grouped/event-groups.js';

/** A call of a listener, with what it is given. */
export type CallOf<Listener> = {
  [Name in keyof Listener]: Listener[Name] extends (...given: infer Given) => void
    ? { readonly name: Name; readonly given: Given }
    : never;
}[keyof Listener];

/** What a thread that folds rebuilds reports. */
export interface RebuildListener {
  onFault(generation: number, fault: ProjectionFault): void;
  onSetAside(generation: number, what: SetAside): void;
  onTrouble(error: unknown): void;
}

/** A question to the projection of another thread; the answer to `next_change` is always true. */
export type WorkerRequest =
  | { readonly kind: 'wait_until'; readonly position: Position; readonly timeoutMs: number }
  | { readonly kind: 'next_change'; readonly ms: number };

/** To any thread: there may be something to fold; finish the batch at hand and end. */
export type ToThread = { readonly kind: 'wake' } | { readonly kind: 'stop' };
export type ToLiveThread =
  | ToThread
  | { readonly kind: 'ask'; readonly id: number; readonly question: WorkerRequest };

/** To a thread that folds chunks of a build; `id` is a chunk's number there. */
export type ToChunkThread =
  | ToThread
  | { readonly kind: 'take'; readonly id: number; readonly chunk: Chunk }
  | { readonly kind: 'commit'; readonly id: number; readonly turn: Turn };

/** What became of a chunk when its turn had come. `mayPass`: whether it may succeed when it is folded again. */
export type FromChunkThread =
  | { readonly kind: 'started' }
  | { readonly kind: 'trouble'; readonly error: Error }
  | { readonly kind: 'done'; readonly id: number; readonly isNoted: boolean }
  | { readonly kind: 'failed'; readonly id: number; readonly error: Error; readonly mayPass: boolean };

export type FromRebuildThread =
  | { readonly kind: 'started' }
  | { readonly kind: 'called'; readonly call: CallOf<RebuildListener> };

/** `at` is when the projection had that status, Unix ms. */
export type FromLiveThread =
  | { readonly kind: 'started'; readonly at: number; readonly status: ProjectionStatus }
  | { readonly kind: 'status'; readonly at: number; readonly status: ProjectionStatus }
  | {
      readonly kind: 'called';
      readonly at: number;
      readonly status: ProjectionStatus;
      readonly call: CallOf<ProjectionListener>;
    }
  | { readonly kind: 'answered'; readonly id: number; readonly answer: boolean };

/** What remains of anything thrown on its way between threads: an error with its texts. */
export function portable(thrown: unknown): Error {
  if (!(thrown instanceof Error)) return new Error(String(thrown));
  const code = 'code' in thrown ? ` (${String(thrown.code)})` : '';
  return Object.assign(new Error(`${thrown.message}${code}`), { stack: thrown.stack });
}
