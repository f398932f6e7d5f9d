import type { Environment } from './environment.js';
import type { LastKnown } from './last-known.js';
import type { Requests } from './requests.js';
import type { AccessChange, Held, Snapshot } from './snapshot.js';

/** Access is not what it was: an application refreshes its own session token here. */
export interface AccessChanged {
  readonly snapshot: Snapshot;
  readonly previous: Snapshot;
  readonly change: Exclude<AccessChange, 'same'>;
  /** One tab sees a change and tells the others. */
  readonly seenBy: 'this_tab' | 'other_tab';
}

export interface SessionOptions {
  readonly requests: Requests;
  readonly environment: Environment;
  /** The service that is asked: part of the names that tabs share. */
  readonly baseUrl: string;
  /** Whose it is, as the application said it; `null` until an answer does. */
  readonly userId: string | null;
  readonly initial: Held | null;
  readonly lastKnown: LastKnown;
  readonly onState: () => void;
  readonly onAccessChanged: (change: AccessChanged) => void;
  /** Somebody else is signed in than this session is of, as an answer says; or nobody (`null`), as another tab does. */
  readonly onOtherUser: (held: Held | null) => void;
}
