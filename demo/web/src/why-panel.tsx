import { useEffect, useState } from 'react';
import { useEntitlements } from '../../../packages/client/src/react/index.js';

interface Entry {
  readonly from: string;
  readonly plan: string;
  readonly status: string;
  readonly cause: string;
  readonly words: readonly string[];
}

/** Each entry of the audit as it comes, with its reasons: what the application's own server reads with a key for auditors. */
export function WhyPanel({ userId }: { readonly userId: string }) {
  const { snapshot } = useEntitlements();
  const [entries, setEntries] = useState<readonly Entry[]>([]);
  const position = snapshot?.position ?? null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new position means that there is more to read
  useEffect(() => {
    const leaves = new AbortController();
    fetch('/api/why', { signal: leaves.signal })
      .then((response) => (response.ok ? response.json() : []))
      .then((read: readonly Entry[]) => setEntries(read))
      .catch((error: unknown) => {
        if (!leaves.signal.aborted) throw error;
      });
    return () => leaves.abort();
  }, [userId, position]);
  return (
    <section className="card" aria-labelledby="why">
      <h2 id="why">Why</h2>
      {entries.length === 0 && <p className="faint">Nothing has happened yet: everyone begins on free.</p>}
      <ol className="why" aria-live="polite">
        {entries.map((entry) => (
          <li key={entry.from}>
            <p>
              <time dateTime={entry.from}>{new Date(entry.from).toLocaleTimeString()}</time>{' '}
              <strong>{entry.plan}</strong> ({entry.status.replaceAll('_', ' ')}) by {entry.cause}
            </p>
            {entry.words.map((words) => (
              <p key={words} className="faint">
                {words}
              </p>
            ))}
          </li>
        ))}
      </ol>
    </section>
  );
}
