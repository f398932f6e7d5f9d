import type { Channel, Environment } from './environment.js';
import { type Held, isPosition, isRecord, isSnapshot } from './snapshot.js';

/** Grows when tabs of an older version would misread what newer ones say. */
const VERSION = 1;

/**
 * What tabs of one user tell each other. `HELLO`: a tab came, with what it holds. `LIVE`, `LOST`: of the tab that has the
 * stream. `SNAPSHOT`: something but access changed (a date); `ROLE_UPGRADED`, `ROLE_CHANGED`: access did. `WRITTEN`: answers
 * must know this position. `SIGNED_OUT`: nothing of this user is to stay.
 */
export type TabMessage =
  | { readonly type: 'HELLO' | 'LIVE'; readonly held: Held | null }
  | { readonly type: 'LOST' | 'SIGNED_OUT' }
  | { readonly type: 'SNAPSHOT' | 'ROLE_UPGRADED' | 'ROLE_CHANGED'; readonly held: Held }
  | { readonly type: 'WRITTEN'; readonly position: string };

/** What another tab said, `null` where it is not understood. */
export function parseTabMessage(value: unknown): TabMessage | null {
  if (!isRecord(value) || value.version !== VERSION || !isRecord(value.message)) return null;
  const { type, held, position } = value.message;
  switch (type) {
    case 'HELLO':
    case 'LIVE':
      return { type, held: held === null ? null : parseHeld(held) };
    case 'LOST':
    case 'SIGNED_OUT':
      return { type };
    case 'SNAPSHOT':
    case 'ROLE_UPGRADED':
    case 'ROLE_CHANGED': {
      const parsed = parseHeld(held);
      return parsed === null ? null : { type, held: parsed };
    }
    case 'WRITTEN':
      return isPosition(position) ? { type, position } : null;
    default:
      return null;
  }
}

function parseHeld(value: unknown): Held | null {
  if (!isRecord(value) || !isSnapshot(value.snapshot)) return null;
  const text = (given: unknown) => (typeof given === 'string' ? given : null);
  return { snapshot: value.snapshot, etag: text(value.etag), cursor: text(value.cursor) };
}

/** The tabs of one user in one browser; alone where the browser has no channel. */
export class Tabs {
  readonly #channel: Channel | null;

  constructor(
    private readonly name: string,
    private readonly environment: Environment,
    onMessage: (message: TabMessage) => void,
  ) {
    this.#channel =
      environment.openChannel?.(name, (value) => {
        const message = parseTabMessage(value);
        if (message !== null) onMessage(message);
      }) ?? null;
  }

  tell(message: TabMessage): void {
    this.#channel?.post({ version: VERSION, message });
  }

  /**
   * Runs `lead` in one tab at a time, here once the others let go. Where there is no channel, or there are no locks to be had,
   * every tab leads.
   */
  async leadAlone(signal: AbortSignal, lead: () => Promise<void>): Promise<void> {
    const { locks } = this.environment;
    if (this.#channel === null || locks === null) return lead();
    try {
      await locks.hold(this.name, signal, lead);
    } catch {
      if (!signal.aborted) await lead();
    }
  }

  close(): void {
    this.#channel?.close();
  }
}
