import { useEffect, useState } from 'react';
import { Problem, useClient } from '../api/client.js';
import type { Delivery } from '../api/types.js';

/** As many as the service remembers. */
const SHOWN = 500;
const AGAIN_MS = 2_000;

/** The deliveries of this instance, the newest first, followed for as long as the page is open. */
export function useDeliveries() {
  const client = useClient();
  const [deliveries, setDeliveries] = useState<readonly Delivery[]>([]);
  const [isOpen, setOpen] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);

  useEffect(() => {
    const leaves = new AbortController();
    const follow = async (): Promise<void> => {
      // A stream begins with all that are remembered, so a new one replaces what an instance before it told.
      let seen: readonly Delivery[] = [];
      for await (const { type, data } of client.events('/v1/ops/deliveries/stream', leaves.signal)) {
        if (type !== 'delivery') continue;
        seen = [JSON.parse(data) as Delivery, ...seen].slice(0, SHOWN);
        setOpen(true);
        setProblem(null);
        setDeliveries(seen);
      }
    };
    const keepFollowing = async (): Promise<void> => {
      while (!leaves.signal.aborted) {
        try {
          await follow();
        } catch (error) {
          if (leaves.signal.aborted) return;
          setProblem(error instanceof Problem ? error : new Problem(0, 'unknown', String(error)));
        }
        setOpen(false);
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    };
    void keepFollowing();
    return () => leaves.abort();
  }, [client]);

  return { deliveries, isOpen, problem };
}
