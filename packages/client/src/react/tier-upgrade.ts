import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { TenureClient } from '../browser/client.js';
import type { TenureError } from '../browser/errors.js';
import type { Snapshot } from '../browser/snapshot.js';
import type { UpgradeOptions, UpgradeState } from '../browser/upgrade.js';
import { useTenure } from './provider.js';

export interface TierUpgrade {
  /** From `timedOut` it still goes to `upgraded` when the upgrade comes late. */
  readonly state: 'idle' | 'waiting' | 'upgraded' | 'timedOut';
  /** Of `upgraded`. */
  readonly snapshot: Snapshot | null;
  /** Of `timedOut`: why the last poll failed, if it did. */
  readonly error: TenureError | null;
  /** Begins to wait, for a minute at most; the same function in every render. */
  readonly start: (options?: Omit<UpgradeOptions, 'signal'>) => void;
  /** Waits once more for the same. */
  readonly retry: () => void;
}

interface Told {
  readonly client: TenureClient;
  readonly upgrade: UpgradeState;
}

/** Waits for an upgrade from when `start` is called, such as on the page that a browser comes back to from its payment. */
export function useTierUpgrade(): TierUpgrade {
  const client = useTenure();
  const [told, setTold] = useState<Told | null>(null);
  const end = useRef(() => {});
  const asked = useRef<Omit<UpgradeOptions, 'signal'>>({});
  useEffect(() => () => end.current(), []);
  const start = useCallback(
    (options: Omit<UpgradeOptions, 'signal'> = {}) => {
      end.current();
      asked.current = options;
      end.current = client.watchUpgrade(options, (upgrade) => setTold({ client, upgrade }));
    },
    [client],
  );
  const retry = useCallback(() => start(asked.current), [start]);
  return useMemo(() => {
    // What was told of the user before is nobody's business now.
    const upgrade = told?.client === client ? told.upgrade : null;
    return {
      state: upgrade?.state ?? 'idle',
      snapshot: upgrade?.state === 'upgraded' ? upgrade.snapshot : null,
      error: upgrade?.state === 'timedOut' ? upgrade.error : null,
      start,
      retry,
    };
  }, [told, client, start, retry]);
}
