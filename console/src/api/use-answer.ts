import { useCallback, useEffect, useState } from 'react';
import { Problem, useClient } from './client.js';

/** What a page knows of an answer. What was read last stays while it is read anew. */
export interface Answer<Body> {
  readonly body: Body | null;
  readonly problem: Problem | null;
  readonly isLoading: boolean;
  /** Reads it again. */
  readonly reload: () => void;
}

/** Reads `path` when it changes, when asked to, and every `everyMs` while the page is looked at. */
export function useAnswer<Body>(path: string, everyMs?: number): Answer<Body> {
  const client = useClient();
  const [turn, setTurn] = useState(0);
  const [state, setState] = useState<{ path: string; body: Body | null; problem: Problem | null }>({
    path,
    body: null,
    problem: null,
  });
  const [isLoading, setLoading] = useState(true);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `turn` is how a repetition is asked for
  useEffect(() => {
    const leaves = new AbortController();
    setLoading(true);
    client
      .get<Body>(path, leaves.signal)
      .then((body) => setState({ path, body, problem: null }))
      .catch((error: unknown) => {
        if (leaves.signal.aborted) return;
        const problem = error instanceof Problem ? error : new Problem(0, 'unknown', String(error));
        setState((last) => ({ path, body: last.path === path ? last.body : null, problem }));
      })
      .finally(() => {
        if (!leaves.signal.aborted) setLoading(false);
      });
    return () => leaves.abort();
  }, [client, path, turn]);

  const reload = useCallback(() => setTurn((last) => last + 1), []);
  useEffect(() => {
    if (everyMs === undefined) return;
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') reload();
    }, everyMs);
    return () => clearInterval(timer);
  }, [everyMs, reload]);

  const isCurrent = state.path === path;
  return {
    body: isCurrent ? state.body : null,
    problem: isCurrent ? state.problem : null,
    isLoading,
    reload,
  };
}
